/** @file `embranch align --pairwise`: the best global alignment of each of many pairs of sequences. */

import { FormatError, UsageError } from "../error.ts";
import { alignedRow, type Alignment } from "../sequence/alignment.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { cigar } from "../kernel/edit-script.ts";
import { alignPairs, type PairAlignment } from "../task/align/pairwise.ts";
import { loadLettered, loadScoring, type LetteredSet, type ScoringCliOptions } from "./align-input.ts";
import type { CommonOptions } from "./options.ts";
import { writeChunks, writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

/** What pairs are written as. */
export const PAIR_FORMATS = ["cigar", "fasta"] as const;
export type PairFormat = (typeof PAIR_FORMATS)[number];

export interface PairsCliOptions extends CommonOptions, ScoringCliOptions {
  output?: string;
  alphabet?: AlphabetName;
}

const HEADER = "a\tb\tscore\tidentity\tcigar\tcolumns\tmatches\tmismatches\tgapopens\n";

/** The records of two files that are aligned with each other, by their numbers. */
interface Pairs {
  a: LetteredSet;
  b: LetteredSet;
  /** Numbers of the records, pair by pair. */
  left: number[];
  right: number[];
}

/** Aligns the pairs of one file or two, and writes them. */
export async function runPairs(
  first: string,
  second: string | undefined,
  format: PairFormat,
  options: PairsCliOptions,
): Promise<void> {
  const { threads, quiet, json, output } = options;
  const progress = new Progress("align", { unit: "pairs", quiet });
  const started = performance.now();
  const stop = interruption();
  try {
    const pairs = await writeOutputs(async (open) => {
      const out = await open(output);
      const { a, b, left, right } = await loadPairs(first, second, options);
      const found = await alignPairs(
        left.map((i) => a.set.codes[i]),
        right.map((i) => b.set.codes[i]),
        {
          scoring: await loadScoring(options, a.set.alphabet, { pairwise: true }),
          threads,
          signal: stop.signal,
          progress: (done, total) => progress.update(done, { fraction: done / total }),
        },
      );
      if (format === "cigar") await out.write(HEADER);
      for (const [k, pair] of found.entries()) {
        const sides = [sequenceOf(a, left[k]), sequenceOf(b, right[k])];
        await out.write(format === "cigar" ? pairLine(pair, sides) : pairRows(pair, sides));
      }
      progress.stop();
      return found.length;
    });
    const seconds = (performance.now() - started) / 1000;
    if (json) await writeChunks(undefined, [`${JSON.stringify({ output, pairs, format, seconds })}\n`]);
    else if (output !== undefined && output !== "-") {
      progress.note(`${formatCount(pairs)} pairs in ${output}, in ${seconds.toFixed(1)} s`);
    }
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("align: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
  }
}

async function loadPairs(
  first: string,
  second: string | undefined,
  { alphabet, quiet }: PairsCliOptions,
): Promise<Pairs> {
  const a = await loadLettered(first, { alphabet, quiet });
  const n = a.set.ids.length;
  if (second === undefined) {
    if (n === 2) return { a, b: a, left: [0], right: [1] };
    throw new FormatError(`file: must hold two sequences where a second file is not given, got ${n}`, {
      file: first,
    });
  }
  const b = await loadLettered(second, { alphabet: a.set.alphabet, quiet });
  const m = b.set.ids.length;
  if (n !== m && n !== 1 && m !== 1) {
    throw new UsageError(
      `align: --pairwise needs as many sequences in both files, or one in one of them, got ${n} and ${m}`,
    );
  }
  const each = Array.from({ length: Math.max(n, m) }, (_, i) => i);
  return { a, b, left: each.map((i) => (n === 1 ? 0 : i)), right: each.map((i) => (m === 1 ? 0 : i)) };
}

interface Sequence {
  id: string;
  description: string;
  letters: string;
}

const sequenceOf = ({ set, letters, descriptions }: LetteredSet, i: number): Sequence => ({
  id: set.ids[i],
  description: descriptions[i],
  letters: letters[i],
});

function pairLine(pair: PairAlignment, sides: readonly Sequence[]): string {
  const { score, columns, matches, mismatches, gapOpens } = pair;
  const identity = ((100 * matches) / Math.max(1, columns)).toFixed(2);
  const cells = [Number(score.toFixed(3)), identity, cigar(pair), columns, matches, mismatches, gapOpens];
  return `${[...sides.map(({ id }) => id), ...cells].join("\t")}\n`;
}

/** The two rows of a pair in FASTA. */
function pairRows(pair: PairAlignment, sides: readonly Sequence[]): string {
  const { width, columns } = pairColumns(pair);
  return sides
    .map(({ id, description, letters }, side) => {
      const header = description === "" ? id : `${id} ${description}`;
      return `>${header}\n${alignedRow(letters, columns[side], width)}\n`;
    })
    .join("");
}

/** The columns of the letters of both. */
function pairColumns({ runs, columns: width }: PairAlignment): Alignment {
  const columns: number[][] = [[], []];
  let at = 0;
  for (const { operation, count } of runs) {
    for (let end = at + count; at < end; at++) {
      if (operation !== "D") columns[0].push(at);
      if (operation !== "I") columns[1].push(at);
    }
  }
  return { width, columns: columns.map((places) => Uint32Array.from(places)) };
}
