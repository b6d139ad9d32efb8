/**
 * @file The exported kernel functions. The host lays out memory (src/kernel/instance.ts) and passes addresses.
 */
import { clear, unslice } from "./counter";
import { sweepLanes, sweepText } from "./sliced";

/** Bits that hold the counter's greatest value, twice the rows. */
function counterBits(rows: i32): i32 {
  return 33 - clz(rows);
}

/**
 * Turns counts into distances in place, D = count + n - m; a lane whose |m - n| is above `cap`, and which the
 * band may have missed, gets the greatest integer. Returns the greatest distance of the other lanes.
 */
function finish(out: usize, lanes: i32, lengths: usize, n: i32, cap: i32): i32 {
  let worst = i32x4.splat(0);
  const limit = i32x4.splat(cap);
  const columns = i32x4.splat(n);
  const padded = (lanes + 7) & ~7;
  for (let lane = 0; lane < padded; lane += 4) {
    const at = (<usize>lane) << 2;
    const shift = i32x4.sub(columns, v128.load(lengths + at));
    const d = i32x4.add(v128.load(out + at), shift);
    const far = i32x4.gt_s(i32x4.abs(shift), limit);
    worst = i32x4.max_s(worst, v128.andnot(d, far));
    v128.store(out + at, v128.bitselect(i32x4.splat(i32.MAX_VALUE), d, far));
  }
  return max(
    max(i32x4.extract_lane(worst, 0), i32x4.extract_lane(worst, 1)),
    max(i32x4.extract_lane(worst, 2), i32x4.extract_lane(worst, 3)),
  );
}

/** The greatest distance expected of the next pass, learnt from the passes before it. */
let guess: i32 = 0;

/** Forgets what earlier passes taught about the width of the band. */
export function resetGuess(): void {
  guess = 0;
}

/** The guess follows greater distances at once and smaller ones slowly: a band too narrow costs a second pass. */
function learn(worst: i32): void {
  if (worst > guess) guess = worst;
  else guess -= (guess - worst) >> 3;
}

/**
 * Distances of up to 128 sliced patterns to texts 0..count-1, given as entries (address, length): `out`
 * [count][128] i32. `lengths` [128] holds
 * the patterns' lengths (padded lanes too), between `shortest` and `longest`; a distance above `cap`
 * comes out as some number above it.
 */
export function sweep(
  table: usize,
  alive: usize,
  rows: i32,
  lanes: i32,
  lengths: usize,
  shortest: i32,
  longest: i32,
  texts: usize,
  count: i32,
  cap: i32,
  v: usize,
  planes: usize,
  out: usize,
): void {
  const bits = counterBits(rows);
  for (let t = 0; t < count; t++) {
    const n = load<i32>(texts, 4);
    const low = max(shortest - n, -cap);
    const high = min(longest - n, cap);
    if (low > high) {
      clear(planes);
      unslice(planes, bits, lanes, out);
      finish(out, lanes, lengths, n, cap);
    } else {
      let k = min(cap, max(guess, max(-low, high)));
      while (true) {
        sweepText(table, rows, load<u32>(texts), n, alive, v, planes, -((k - low) >> 1), (k + high) >> 1);
        unslice(planes, bits, lanes, out);
        const worst = finish(out, lanes, lengths, n, cap);
        if (worst <= k || k == cap) {
          learn(min(k, worst));
          break;
        }
        // The result is an upper bound, so a band as wide as the greatest one is wide enough.
        k = min(cap, worst);
      }
    }
    texts += 8;
    out += 512;
  }
}

/**
 * Distances of up to 128 pairs, each lane with a pattern and a text of its own: `out` [128] i32. `lengths` and
 * `widths` [128] i32 hold the lanes' pattern and text lengths, `low`..`high` the range of their differences, none
 * of them beyond `cap`.
 */
export function lanes(
  pattern: usize,
  alive: usize,
  rows: i32,
  text: usize,
  bits: i32,
  ends: usize,
  endCount: i32,
  count: i32,
  lengths: usize,
  widths: usize,
  low: i32,
  high: i32,
  cap: i32,
  v: usize,
  planes: usize,
  out: usize,
): void {
  const digits = counterBits(rows);
  let k = min(cap, max(guess, max(abs(low), abs(high))));
  while (true) {
    sweepLanes(
      pattern,
      rows,
      text,
      bits,
      ends,
      endCount,
      alive,
      v,
      planes,
      -((k - low) >> 1),
      (k + high) >> 1,
    );
    unslice(planes, digits, count, out);
    let worst = 0;
    for (let lane = 0; lane < count; lane++) {
      const at = (<usize>lane) << 2;
      const d = load<i32>(out + at) + load<i32>(widths + at) - load<i32>(lengths + at);
      store<i32>(out + at, d);
      worst = max(worst, d);
    }
    if (worst <= k || k == cap) {
      learn(min(k, worst));
      break;
    }
    k = min(cap, worst);
  }
}

export { alignRows } from "./alignment";
export { gromov16, gromov32 } from "./gromov";
export { beginJoining, joinPairs } from "./joining";
export {
  areDistances,
  beginChain,
  beginSpanning,
  chainMerges,
  mirror,
  spanningEdges,
  squareAll,
} from "./linkage";
export { equalBytes } from "./matches";
export { myers } from "./myers";
export { greatestCode, sliceCodes, slicePatterns } from "./slice";
export { alignProfiles, scorePlanes } from "./profile";
export { profile16, profile32, weigh16, weigh32, weighPair } from "./weighted";
