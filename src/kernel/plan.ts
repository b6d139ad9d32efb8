/**
 * @file Cutting a request into tiles: which kernel runs it, and how much of it a thread takes at a time.
 *
 * Estimates are in processor cycles, fitted to a 2.4 GHz Zen 3; only their ratios matter. A tile is about a
 * millisecond, small enough for cancelling and balancing, and large enough that slicing the patterns is cheap.
 */
import type { PackedCodes } from "./packed.ts";
import { SLICED_LANES } from "./job.ts";

/** Cycles a cell of the matrix: 128 pairs with a common text, 128 with texts of their own, one pair alone. */
const CELL = { sweep: 1.2, lanes: 2, single: 0.15 };
/** Cycles a pass costs whatever its size. */
const PASS = { sweep: 4000, lanes: 30000, single: 1000 };
const TILE = 3e6;
/** Tiles a thread should find, where there is work enough. */
const TILES_PER_THREAD = 4;
/** Longest list of pairs that is written out to fill vectors better than a sweep would. */
const LISTED = 2 ** 16;

/** How a request is best run. */
export type Method = "sweep" | "lanes" | "single";

/** Mean sequence length. */
export function meanLength(set: PackedCodes): number {
  return set.length === 0 ? 0 : set.offsets[set.length] / set.length;
}

/** Estimated cycles of one pass over a matrix of `cells` cells. */
function passCost(method: Method, cells: number): number {
  return CELL[method] * cells + PASS[method];
}

/**
 * The fastest way to compute `pairs` pairs with matrices of `cells` cells on `threads` threads, where a sweep
 * would take `passes` passes (0 where there is no common text to sweep).
 */
export function chooseMethod(pairs: number, passes: number, cells: number, threads: number): Method {
  const sweep = passes === 0 ? Infinity : Math.ceil(passes / threads) * passCost("sweep", cells);
  if (passes > 0 && pairs > LISTED) return "sweep";
  const lanes = Math.ceil(pairs / SLICED_LANES / threads) * passCost("lanes", cells);
  const single = Math.ceil(pairs / threads) * passCost("single", cells);
  if (sweep <= lanes && sweep <= single) return "sweep";
  return lanes <= single ? "lanes" : "single";
}

/**
 * Tiles of a sweep: [tiles × 4] pattern from, to, text from, to. With `triangular`, texts and patterns are one
 * order and only the texts from a group's first pattern on are swept.
 */
export function sweepTiles(
  patterns: number,
  texts: number,
  cells: number,
  threads: number,
  { lanes, triangular }: { lanes: number; triangular: boolean },
): Uint32Array {
  const groups = Math.ceil(patterns / lanes);
  const passes = triangular ? (groups * texts) / 2 : groups * texts;
  const fair = Math.ceil(passes / (TILES_PER_THREAD * threads));
  const run = Math.max(1, Math.min(fair, Math.floor(TILE / passCost("sweep", cells))));
  const tiles: number[] = [];
  for (let from = 0; from < patterns; from += lanes) {
    const to = Math.min(patterns, from + lanes);
    for (let text = triangular ? from : 0; text < texts; text += run) {
      tiles.push(from, to, text, Math.min(texts, text + run));
    }
  }
  return Uint32Array.from(tiles);
}

/** Tiles of a list of pairs: [tiles × 2] from, to, in multiples of `together`. */
export function pairTiles(
  pairs: number,
  cells: number,
  threads: number,
  { method, together }: { method: Method; together: number },
): Uint32Array {
  const calls = Math.ceil(pairs / together);
  const fair = Math.ceil(calls / (TILES_PER_THREAD * threads));
  const run = together * Math.max(1, Math.min(fair, Math.floor(TILE / passCost(method, cells))));
  const tiles: number[] = [];
  for (let from = 0; from < pairs; from += run) tiles.push(from, Math.min(pairs, from + run));
  return Uint32Array.from(tiles);
}
