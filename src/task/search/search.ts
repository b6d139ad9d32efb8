/**
 * @file `search`: the nearest references of every query.
 *
 * Three ways, from fast to certain:
 *
 * - by the embedding alone (`rerank` 0): the nearest points, in the order of their distances;
 * - with re-ranking (the default): that many nearest points, put in the order of their exact edit distances;
 * - `exact`: all references, by exact edit distance, with no model at all.
 *
 * Whichever it is, the edits and the identity of a hit are exact. Queries stream: memory does not grow with their
 * number. While one block is compared, the next one is embedded.
 *
 * Re-ranking stops early: the k nearest points of each query come first, and a candidate further away than the
 * worst of them need not be measured to the end. Candidates are compared in groups of queries whose limits are
 * within a factor of two.
 */

import type { Model } from "../../engine/model-file.ts";
import { UsageError } from "../../error.ts";
import type { EditDistances } from "../../kernel/index.ts";
import { packCodes } from "../../kernel/index.ts";
import { encode, type Alphabet, type SequenceRecord } from "../../sequence/index.ts";
import { checkLength, checkLetters } from "../embed.ts";
import { Nearest } from "./nearest.ts";
import type { References } from "./references.ts";

/** Which strand of a query matched. */
export type Strand = "+" | "-";

/** A reference near a query. */
export interface Hit {
  /** The store's name of the reference. */
  key: number;
  target: string;
  /** The reference's codes. */
  codes: Uint8Array;
  strand: Strand;
  /** Exact edit distance. */
  edits: number;
  /** 1 − edits / length of the longer of the two. */
  identity: number;
  /** Distance in the embedding, in edits; undefined in an exact search. */
  distance?: number;
}

/** A query and its hits, best first. */
export interface QueryHits {
  query: string;
  codes: Uint8Array;
  hits: Hit[];
}

export interface SearchOptions {
  /** Hits a query, at most (default 10). */
  top?: number;
  /** Nearest points whose exact distance is taken (default 50, at least `top`); 0 keeps the embedding's order. */
  rerank?: number;
  /** Least identity of a hit, 0 … 1 (default 0). */
  minIdentity?: number;
  /** Look for the reverse complement too (default false). */
  bothStrands?: boolean;
  /** Compare with all references, exactly. */
  exact?: boolean;
  /** Queries handled together (default 1,024). */
  blockSize?: number;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/** What searches: references, exact distances, and the model that places queries, which an exact search lacks. */
export interface SearchTools {
  references: References;
  kernel: EditDistances;
  alphabet: Alphabet;
  model?: Model;
}

/** A query, or the other strand of one. */
interface Probe {
  codes: Uint8Array;
  strand: Strand;
}

interface Block {
  ids: string[];
  codes: Uint8Array[];
  /** One a query, or two. */
  probes: Probe[];
  /** [probes, dim]; absent in an exact search. */
  points?: Float32Array;
}

/** A probe's hits by key: their edits, and the distance in the embedding where it is known. */
type Ranked = { key: number; edits: number; distance?: number }[];

/** What was found for the probes of a block. */
interface Found {
  ranked: Ranked[];
  targets: Map<number, { id: string; codes: Uint8Array }>;
}

/**
 * Searches for a stream of queries; they come back in order, each with its hits.
 *
 * @throws FormatError for letters outside the alphabet and sequences longer than the model; UsageError for options
 *   that do not go together
 */
export async function* search(
  tools: SearchTools,
  queries: AsyncIterable<SequenceRecord> | Iterable<SequenceRecord>,
  options: SearchOptions = {},
): AsyncGenerator<QueryHits[], void, undefined> {
  const {
    exact = false,
    top = 10,
    rerank = Math.max(50, top),
    minIdentity = 0,
    bothStrands = false,
  } = options;
  if (!exact && tools.model === undefined) throw new UsageError("search: needs a model, or exact distances");
  if (bothStrands && tools.alphabet.name !== "dna") throw new UsageError("strand: proteins have one strand");
  const limits = { top, rerank, minIdentity };
  // The next block is read and embedded while this one is compared.
  const blocks = queryBlocks(tools, queries, { ...options, bothStrands, exact });
  for (let next = blocks.next(); ;) {
    const { value: block, done } = await next;
    if (done === true) return;
    next = blocks.next();
    // An error of the next block is told when its turn comes.
    next.catch(() => undefined);
    const found = exact ? await searchExactly(tools, block, limits) : await searchNear(tools, block, limits);
    yield hitsOf(block, found, limits);
  }
}

async function* queryBlocks(
  { model, alphabet }: SearchTools,
  queries: AsyncIterable<SequenceRecord> | Iterable<SequenceRecord>,
  { blockSize = 1024, bothStrands, exact, file, signal }: SearchOptions,
): AsyncGenerator<Block, undefined, undefined> {
  const fresh = (): Block => ({ ids: [], codes: [], probes: [] });
  let block = fresh();
  let first = true;
  const finished = async (): Promise<Block> => {
    const whole = block;
    block = fresh();
    if (model !== undefined && !exact) {
      if (first) checkLetters(model, whole.codes, { file });
      whole.points = await embedProbes(model, whole.probes);
    }
    first = false;
    return whole;
  };
  for await (const { id, sequence, line } of queries) {
    signal?.throwIfAborted();
    const where = { file, line, record: id };
    if (model !== undefined && !exact) checkLength(model, sequence.length, where);
    const { codes } = encode(sequence, alphabet, where);
    block.ids.push(id);
    block.codes.push(codes);
    block.probes.push({ codes, strand: "+" });
    if (bothStrands) block.probes.push({ codes: reverseComplement(codes), strand: "-" });
    if (block.ids.length === blockSize) yield await finished();
  }
  if (block.ids.length > 0) yield await finished();
  return undefined;
}

/** Sequences embedded at once. */
const EMBED_BLOCK = 512;

async function embedProbes(model: Model, probes: readonly Probe[]): Promise<Float32Array> {
  const { dim } = model.manifest;
  const points = new Float32Array(probes.length * dim);
  for (let start = 0; start < probes.length; start += EMBED_BLOCK) {
    const codes = probes.slice(start, start + EMBED_BLOCK).map((probe) => probe.codes);
    points.set(await model.embed(codes), start * dim);
  }
  return points;
}

type Limits = Required<Pick<SearchOptions, "top" | "rerank" | "minIdentity">>;

/** By the embedding, then exactly. */
async function searchNear(
  tools: SearchTools,
  block: Block,
  { top, rerank, minIdentity }: Limits,
): Promise<Found> {
  const { references, kernel } = tools;
  const { probes } = block;
  const { keys } = await references.nearest(block.points!, probes.length, Math.max(top, rerank));
  const unique = [...new Set(keys.flat())];
  const { ids, codes } = await references.fetch(unique);
  const place = new Map(unique.map((key, i) => [key, i]));
  const targets: Found["targets"] = new Map(unique.map((key, i) => [key, { id: ids[i], codes: codes[i] }]));

  const lists =
    rerank === 0
      ? await byDistance(
          tools,
          block,
          keys.map((list) => list.map((key) => ({ key, edits: 0 }))),
        )
      : undefined;
  const chosen = lists?.map((list) => list.slice(0, top).map(({ key }) => key)) ?? keys;
  const pairs = chosen.flatMap((list, probe) =>
    list.map((key, rank) => ({ probe, i: place.get(key)!, rank })),
  );
  const packed = { a: packCodes(probes.map((probe) => probe.codes)), b: packCodes(codes) };
  const edits = new Uint32Array(pairs.length);
  const measure = async (which: readonly number[], threshold?: number): Promise<void> => {
    const left = Uint32Array.from(which, (p) => pairs[p].probe);
    const right = Uint32Array.from(which, (p) => pairs[p].i);
    const limit = threshold === undefined ? {} : { threshold };
    const distances = await kernel.pairsBetween(packed.a, packed.b, left, right, limit);
    which.forEach((p, at) => (edits[p] = distances[at]));
  };

  // First the nearest points; what they leave over has to be as near as the worst of them.
  const first: number[] = [];
  const rest: number[] = [];
  pairs.forEach(({ rank }, p) => (rank < top ? first : rest).push(p));
  await measure(first);
  const worst = new Uint32Array(probes.length);
  for (const p of first) worst[pairs[p].probe] = Math.max(worst[pairs[p].probe], edits[p]);
  const groups = new Map<number, number[]>();
  for (const p of rest) {
    const { probe, i } = pairs[p];
    const limit =
      2 **
      Math.ceil(Math.log2(1 + Math.min(worst[probe], mostEdits(minIdentity, probes[probe].codes, codes[i]))));
    const group = groups.get(limit);
    if (group === undefined) groups.set(limit, [p]);
    else group.push(p);
  }
  for (const [limit, group] of groups) await measure(group, limit);

  let at = 0;
  const measured = chosen.map((list): Ranked => list.map((key) => ({ key, edits: edits[at++] })));
  if (lists !== undefined) {
    return { ranked: measured.map((list, p) => list.map((hit, i) => ({ ...lists[p][i], ...hit }))), targets };
  }
  // The best, with those that tie with the last of them: among equals the nearer point comes first.
  const best = measured.map((list): Ranked => {
    const sorted = list.sort((a, b) => a.edits - b.edits);
    return sorted.length <= top ? sorted : sorted.filter((hit) => hit.edits <= sorted[top - 1].edits);
  });
  const placed = await byDistance(tools, block, best);
  return { ranked: placed.map((list) => list.sort((a, b) => a.edits - b.edits).slice(0, top)), targets };
}

/** Adds the distances of the embedding, and sorts by them. */
async function byDistance(
  { references, model }: SearchTools,
  { points }: Block,
  lists: readonly Ranked[],
): Promise<(Ranked[number] & { distance: number })[][]> {
  const { space, manifest } = model!;
  const { dim, length } = manifest;
  const unique = [...new Set(lists.flatMap((list) => list.map(({ key }) => key)))];
  const place = new Map(unique.map((key, i) => [key, i]));
  const targets = await references.points(unique);
  const row = (data: Float32Array, i: number) => data.subarray(i * dim, (i + 1) * dim);
  const { parameters } = manifest.space;
  return lists.map((list, probe) =>
    list
      .map((hit) => ({
        ...hit,
        distance:
          length * space.exactDistance(row(points!, probe), row(targets, place.get(hit.key)!), parameters),
      }))
      .sort((a, b) => a.distance - b.distance || a.key - b.key),
  );
}

/** Every reference, block by block. */
async function searchExactly(
  { references, kernel }: SearchTools,
  { probes }: Block,
  { top }: Limits,
): Promise<Found> {
  const a = packCodes(probes.map(({ codes }) => codes));
  const best = probes.map(() => new Nearest(top));
  const targets: Found["targets"] = new Map();
  for await (const { keys, ids, codes } of references.blocks()) {
    const worst = best.reduce((most, { worst }) => Math.max(most, worst), 0);
    const distances = await kernel.cross(a, packCodes(codes), {
      // Nobody asks how much further away than the worst hit of all a reference is.
      ...(Number.isFinite(worst) && { threshold: worst }),
    });
    best.forEach((nearest, probe) => {
      let { worst } = nearest;
      for (let i = 0; i < keys.length; i++) {
        const edits = distances[probe * keys.length + i];
        if (edits >= worst) continue;
        nearest.add(keys[i], edits);
        ({ worst } = nearest);
      }
    });
    const kept = new Set(best.flatMap((nearest) => nearest.keys()));
    keys.forEach((key, i) => {
      if (kept.has(key)) targets.set(key, { id: ids[i], codes: codes[i] });
    });
  }
  const ranked = best.map((nearest): Ranked => {
    const distances = nearest.distances();
    return nearest.keys().map((key, i) => ({ key, edits: distances[i] }));
  });
  return { ranked, targets };
}

/** The hits of a block's queries: both strands' together, those good enough, the best of them. */
function hitsOf(
  { ids, codes, probes }: Block,
  { ranked, targets }: Found,
  { top, rerank, minIdentity }: Limits,
): QueryHits[] {
  const strands = probes.length / ids.length;
  return ids.map((query, q) => {
    const hits: Hit[] = [];
    for (let probe = q * strands; probe < (q + 1) * strands; probe++) {
      for (const { key, edits, distance } of ranked[probe]) {
        const target = targets.get(key)!;
        const identity = identityOf(edits, codes[q], target.codes);
        if (identity < minIdentity) continue;
        const { strand } = probes[probe];
        hits.push({ key, target: target.id, codes: target.codes, strand, edits, identity, distance });
      }
    }
    if (strands > 1) {
      const order = (hit: Hit) => (rerank === 0 && hit.distance !== undefined ? hit.distance : hit.edits);
      hits.sort((a, b) => order(a) - order(b));
    }
    return { query, codes: codes[q], hits: hits.slice(0, top) };
  });
}

/** 1 − edits / length of the longer; 1 for two empty sequences. */
export function identityOf(edits: number, { length: m }: Uint8Array, { length: n }: Uint8Array): number {
  return 1 - edits / Math.max(1, m, n);
}

/** The most edits that leave the identity. */
function mostEdits(identity: number, { length: m }: Uint8Array, { length: n }: Uint8Array): number {
  return Math.floor((1 - identity) * Math.max(m, n) + 1e-9);
}

/** Complements of DNA's codes: A C G T, then R Y S W K M B D H V N. */
const COMPLEMENT = Uint8Array.of(3, 2, 1, 0, 5, 4, 6, 7, 9, 8, 13, 12, 11, 10, 14);

/** The other strand of a DNA sequence of codes. */
export function reverseComplement(codes: Uint8Array): Uint8Array {
  return Uint8Array.from(codes, (_, i) => COMPLEMENT[codes[codes.length - 1 - i]]);
}
