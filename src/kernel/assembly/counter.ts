/**
 * @file A bit-sliced counter: 128 integers held as bit planes, plane b carrying weight 2^b of every lane.
 *
 * Adding a vector of single bits is a ripple of half adders; four rows of the matrix bring eight bits, which a
 * tree of full adders (Harley and Seal's population count) turns into one carry of weight eight.
 */

/** Planes of a counter: enough for 2^31. */
export const PLANES: i32 = 32;

/** Sets 128 counters to zero. */
export function clear(planes: usize): void {
  memory.fill(planes, 0, PLANES << 4);
}

function sum(a: v128, b: v128, c: v128): v128 {
  return v128.xor(v128.xor(a, b), c);
}

function carry(a: v128, b: v128, c: v128): v128 {
  return v128.or(v128.and(a, b), v128.and(c, v128.xor(a, b)));
}

function rowMask(alive: usize, lanes: v128): v128 {
  return alive ? v128.and(lanes, v128.load(alive)) : lanes;
}

/**
 * Adds (is +1) + (is not -1) of four rows of vertical differences at `v` to the lanes of the mask at `lanes`
 * whose pattern reaches the row, as the masks [4] at `alive` say; an address of 0 means all of them.
 */
export function add4(planes: usize, v: usize, alive: usize, lanes: usize): void {
  const mask = lanes ? v128.load(lanes) : i64x2.splat(-1);
  const k0 = rowMask(alive, mask),
    k1 = rowMask(alive ? alive + 16 : 0, mask);
  const k2 = rowMask(alive ? alive + 32 : 0, mask),
    k3 = rowMask(alive ? alive + 48 : 0, mask);
  const p0 = v128.and(v128.load(v), k0),
    m0 = v128.andnot(k0, v128.load(v, 16));
  const p1 = v128.and(v128.load(v, 32), k1),
    m1 = v128.andnot(k1, v128.load(v, 48));
  const p2 = v128.and(v128.load(v, 64), k2),
    m2 = v128.andnot(k2, v128.load(v, 80));
  const p3 = v128.and(v128.load(v, 96), k3),
    m3 = v128.andnot(k3, v128.load(v, 112));

  let ones = v128.load(planes);
  const t0 = carry(ones, p0, m0);
  ones = sum(ones, p0, m0);
  const t1 = carry(ones, p1, m1);
  ones = sum(ones, p1, m1);
  const t2 = carry(ones, p2, m2);
  ones = sum(ones, p2, m2);
  const t3 = carry(ones, p3, m3);
  v128.store(planes, sum(ones, p3, m3));

  let twos = v128.load(planes, 16);
  const f0 = carry(twos, t0, t1);
  twos = sum(twos, t0, t1);
  const f1 = carry(twos, t2, t3);
  v128.store(planes, sum(twos, t2, t3), 16);

  const fours = v128.load(planes, 32);
  let c = carry(fours, f0, f1);
  v128.store(planes, sum(fours, f0, f1), 32);

  let plane = planes + 48;
  while (v128.any_true(c)) {
    const w = v128.load(plane);
    v128.store(plane, v128.xor(w, c));
    c = v128.and(w, c);
    plane += 16;
  }
}

/** Writes the counts, all below 2^`bits`, of the first `lanes` lanes (rounded up to eight) as i32 to `out`. */
export function unslice(planes: usize, bits: i32, lanes: i32, out: usize): void {
  const low = i32x4(1, 2, 4, 8);
  const high = i32x4(16, 32, 64, 128);
  const zero = i32x4.splat(0);
  const bytes = (lanes + 7) >> 3;
  for (let byte = 0; byte < bytes; byte++) {
    let first = zero;
    let second = zero;
    for (let b = 0; b < bits; b++) {
      const word = i32x4.splat(<i32>load<u8>(planes + <usize>((b << 4) + byte)));
      const weight = i32x4.splat(1 << b);
      first = v128.or(first, v128.and(i32x4.eq(v128.and(word, low), low), weight));
      second = v128.or(second, v128.and(i32x4.eq(v128.and(word, high), high), weight));
    }
    v128.store(out, first);
    v128.store(out, second, 16);
    out += 32;
  }
}
