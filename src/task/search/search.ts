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
import { packCodes, type EditDistances } from "../../kernel/index.ts";
import { encode, type Alphabet, type SequenceRecord } from "../../sequence/index.ts";
import { reverseComplement } from "../../sequence/reverse-complement.ts";
import { checkLength, checkLetters, embedCodes } from "../embed.ts";
import { identityOf, mostEdits } from "../identity.ts";
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
  let next = blocks.next();
  try {
    for (;;) {
      const { value: block, done } = await next;
      if (done === true) return;
      next = blocks.next();
      // An error of the next block is told when its turn comes.
      next.catch(() => undefined);
      const found = exact
        ? await searchExactly(tools, block, limits)
        : await searchNear(tools, block, limits);
      yield hitsOf(block, found, limits);
    }
  } finally {
    // Whoever leaves early closes the queries.
    await blocks.return(undefined);
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
      whole.points = await embedCodes(
        model,
        whole.probes.map((probe) => probe.codes),
      );
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

type Limits = Required<Pick<SearchOptions, "top" | "rerank" | "minIdentity">>;

/** By the embedding, then exactly. */
async function searchNear(
  tools: SearchTools,
  block: Block,
  { top, rerank, minIdentity }: Limits,
): Promise<Found> {
  const { probes } = block;
  const { keys } = await tools.references.nearest(block.points!, probes.length, Math.max(top, rerank));
  const unique = [...new Set(keys.flat())];
  const { ids, codes } = await tools.references.fetch(unique);
  const targets: Found["targets"] = new Map(unique.map((key, i) => [key, { id: ids[i], codes: codes[i] }]));
  let ranked = keys.map((list): Ranked => list.map((key) => ({ key, edits: 0 })));
  const measure = measurer(tools.kernel, probes, unique, codes);
  if (rerank === 0) {
    await addDistances(tools, block, ranked);
    ranked = ranked.map((list) => list.sort(byDistance).slice(0, top));
    await measure(ranked);
    return { ranked, targets };
  }
  const goodEnough = (probe: number) => {
    const { codes } = probes[probe];
    return ({ key, edits }: Ranked[number]) =>
      edits <= mostEditsBetween(minIdentity, codes, targets.get(key)!.codes);
  };
  // First the nearest points; what they leave over has to be as near as the worst of them.
  await measure(ranked.map((list) => list.slice(0, top)));
  const rest = new Map<number, Ranked[]>();
  ranked.forEach((list, probe) => {
    if (list.length <= top) return;
    const first = list.slice(0, top);
    // Where some of them do not count, there is room for any.
    const worst = first.every(goodEnough(probe)) ? Math.max(...first.map(({ edits }) => edits)) : Infinity;
    const allowed = Math.max(
      ...list
        .slice(top)
        .map(({ key }) => mostEditsBetween(minIdentity, probes[probe].codes, targets.get(key)!.codes)),
    );
    const limit = 2 ** Math.ceil(Math.log2(1 + Math.min(worst, allowed)));
    let group = rest.get(limit);
    if (group === undefined) rest.set(limit, (group = probes.map(() => [])));
    group[probe] = list.slice(top);
  });
  for (const [limit, group] of rest) await measure(group, limit);
  // The best, with those that tie with the last of them: among equals the nearer point comes first.
  ranked = ranked.map((list, probe) => {
    const good = list.filter(goodEnough(probe)).sort((a, b) => a.edits - b.edits);
    return good.length <= top ? good : good.filter(({ edits }) => edits <= good[top - 1].edits);
  });
  await addDistances(tools, block, ranked);
  ranked = ranked.map((list) => list.sort((a, b) => a.edits - b.edits || byDistance(a, b)).slice(0, top));
  return { ranked, targets };
}

const byDistance = (a: Ranked[number], b: Ranked[number]): number =>
  a.distance! - b.distance! || a.key - b.key;

/** A function that sets the edits of each probe's hits, up to a limit, above which they are one more. */
function measurer(
  kernel: EditDistances,
  probes: readonly Probe[],
  keys: readonly number[],
  codes: readonly Uint8Array[],
): (lists: readonly Ranked[], limit?: number) => Promise<void> {
  const place = new Map(keys.map((key, i) => [key, i]));
  const [a, b] = [packCodes(probes.map((probe) => probe.codes)), packCodes(codes)];
  return async (lists, limit) => {
    const count = lists.reduce((sum, { length }) => sum + length, 0);
    const left = new Uint32Array(count);
    const right = new Uint32Array(count);
    let at = 0;
    lists.forEach((list, probe) => {
      for (const { key } of list) {
        left[at] = probe;
        right[at++] = place.get(key)!;
      }
    });
    const distances = await kernel.pairsBetween(a, b, left, right, { threshold: limit });
    at = 0;
    for (const list of lists) for (const hit of list) hit.edits = distances[at++];
  };
}

/** Sets the hits' distances in the embedding. */
async function addDistances(
  { references, model }: SearchTools,
  { points }: Block,
  lists: readonly Ranked[],
): Promise<void> {
  const { space, manifest } = model!;
  const { dim, length } = manifest;
  const { parameters } = manifest.space;
  const unique = [...new Set(lists.flatMap((list) => list.map(({ key }) => key)))];
  const place = new Map(unique.map((key, i) => [key, i]));
  const targets = await references.points(unique);
  lists.forEach((list, probe) => {
    const point = points!.subarray(probe * dim, (probe + 1) * dim);
    for (const hit of list) {
      const at = place.get(hit.key)! * dim;
      hit.distance = length * space.exactDistance(point, targets.subarray(at, at + dim), parameters);
    }
  });
}

/** Every reference, block by block. */
async function searchExactly(
  { references, kernel }: SearchTools,
  { probes }: Block,
  { top, minIdentity }: Limits,
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
        if (edits >= worst || edits > mostEditsBetween(minIdentity, probes[probe].codes, codes[i])) continue;
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
        if (edits > mostEditsBetween(minIdentity, codes[q], target.codes)) continue;
        const identity = identityOf(edits, codes[q], target.codes);
        const { strand } = probes[probe];
        hits.push({ key, target: target.id, codes: target.codes, strand, edits, identity, distance });
      }
    }
    if (strands > 1) {
      // A reference counts once, with the strand that is nearer.
      const order = (hit: Hit) => (rerank === 0 && hit.distance !== undefined ? hit.distance : hit.edits);
      hits.sort((a, b) => order(a) - order(b));
    }
    const seen = new Set<number>();
    const once = strands === 1 ? hits : hits.filter(({ key }) => !seen.has(key) && seen.add(key));
    return { query, codes: codes[q], hits: once.slice(0, top) };
  });
}

/** The most edits that leave two sequences the identity. */
export function mostEditsBetween(identity: number, a: Uint8Array, b: Uint8Array): number {
  return mostEdits(identity, Math.max(a.length, b.length));
}
