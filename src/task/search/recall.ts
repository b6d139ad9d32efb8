/**
 * @file How often a search misses the nearest reference: measured on some of its own queries.
 *
 * Queries are drawn as they pass (Vitter's reservoir, ACM TOMS 1985) and compared with all references by exact edit
 * distance at the end. A query counts as answered when no reference is nearer than its first hit, among those of the
 * least identity asked for; so one of several references equally near is a right answer.
 */

import { packCodes } from "../../kernel/index.ts";
import { Random } from "../../sequence/index.ts";
import { reverseComplement } from "../../sequence/reverse-complement.ts";
import { wilson } from "../wilson.ts";
import { mostEditsBetween, type QueryHits, type SearchOptions, type SearchTools } from "./search.ts";

export interface RecallOptions extends Pick<SearchOptions, "minIdentity" | "bothStrands" | "signal"> {
  /** Queries to check (default: as many as take a fraction of a second, 10 at least and 200 at most). */
  queries?: number;
  /** Seed of the draw (default 1). */
  seed?: number;
}

/** The share of queries whose nearest reference was found. */
export interface RecallEstimate {
  /** Queries compared with all references. */
  queries: number;
  /** Of these, how many had no nearer reference than their first hit. */
  found: number;
  /** found / queries. */
  recall: number;
  /** 95 % interval of the share among all queries (Wilson). */
  interval: [low: number, high: number];
}

/** Cells of distance matrices that the check may take: a quarter of a second on two threads. */
const CELLS = 1e11;
const FEWEST = 10;
const MOST = 200;

/** Draws queries from a search, and checks them. */
export class RecallCheck {
  readonly #options: RecallOptions;
  readonly #random: Random;
  readonly #sample: QueryHits[] = [];
  #seen = 0;

  constructor(options: RecallOptions = {}) {
    this.#options = options;
    this.#random = new Random(options.seed ?? 1).fork("recall");
  }

  /** Sees the next answers of the search. */
  add(answers: readonly QueryHits[]): void {
    const room = this.#options.queries ?? MOST;
    for (const answer of answers) {
      this.#seen++;
      if (this.#sample.length < room) {
        this.#sample.push(answer);
        continue;
      }
      const place = this.#random.integer(this.#seen);
      if (place < room) this.#sample[place] = answer;
    }
  }

  /** Compares what was drawn with all references; undefined where there was no query. */
  async estimate({
    references,
    kernel,
  }: Pick<SearchTools, "references" | "kernel">): Promise<RecallEstimate | undefined> {
    const { minIdentity = 0, bothStrands = false, signal } = this.#options;
    // The places of a reservoir are not alike: its first ones hold early queries more often.
    const order = this.#random.sample(this.#sample.length, this.#sample.length);
    const sample = Array.from(order, (i) => this.#sample[i]).slice(0, this.#affordable(references.size));
    if (sample.length === 0) return undefined;
    const missed = new Set<QueryHits>();
    const probes = sample.flatMap((answer) => [
      { answer, codes: answer.codes },
      ...(bothStrands ? [{ answer, codes: reverseComplement(answer.codes) }] : []),
    ]);
    const packed = packCodes(probes.map(({ codes }) => codes));
    const bestOf = ({ hits }: QueryHits) => hits[0]?.edits ?? Infinity;
    const worst = sample.reduce((most, answer) => Math.max(most, bestOf(answer)), 0);
    const threshold = Number.isFinite(worst) ? worst : undefined;
    for await (const { keys, codes } of references.blocks()) {
      const distances = await kernel.cross(packed, packCodes(codes), { threshold, signal });
      probes.forEach(({ answer }, p) => {
        const best = bestOf(answer);
        for (let i = 0; i < keys.length; i++) {
          const edits = distances[p * keys.length + i];
          if (edits < best && edits <= mostEditsBetween(minIdentity, answer.codes, codes[i]))
            missed.add(answer);
        }
      });
    }
    return recallOf(sample.length - missed.size, sample.length);
  }

  #affordable(references: number): number {
    const { queries } = this.#options;
    if (queries !== undefined) return queries;
    const length =
      this.#sample.reduce((sum, { codes }) => sum + codes.length, 0) / Math.max(1, this.#sample.length);
    return Math.max(FEWEST, Math.floor(CELLS / Math.max(1, references * length ** 2)));
  }
}

/** The share that was found, with its 95 % interval. */
export function recallOf(found: number, queries: number): RecallEstimate {
  const recall = found / queries;
  return { queries, found, recall, interval: wilson(recall, queries) };
}
