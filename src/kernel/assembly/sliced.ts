/**
 * @file Edit distances of 128 pairs at once, bit-sliced: one pair per bit of a vector, one cell of the
 * dynamic-programming matrix per step.
 *
 * Neighbouring cells of the unit-cost matrix differ by -1, 0 or +1 (Ukkonen 1985), so a cell is a Boolean
 * function of the vertical difference at its left, the horizontal difference above it and the equality of its
 * two symbols (Myers 1999, figure 3). Myers packs the rows of one column into a word, and pays for it with an
 * addition, shifts and carries. Packing the same cell of 128 pairs instead leaves eight Boolean operations:
 * with the vertical difference held as (p, m) = (is +1, is -1) and the horizontal one as (a, m) = (is not +1,
 * is -1),
 *
 *     d  = eq | mv | mh            the cell equals its upper left neighbour
 *     p' = ah & ~(d ^ mh)          m' = d & ~ah
 *     a' = pv | (d ^ mv)           m' = pv & d
 *
 * The distance is D[m][n] = n + sum of the vertical differences of column n over the rows 1..m of the lane,
 * which a bit-sliced counter adds up (counter.ts).
 *
 * Only a diagonal band is computed: a path of cost <= k keeps i - j between -(k - s)/2 and (k + s)/2 where
 * s = m - n (Ukkonen 1985). Above the band the horizontal difference is taken as +1 and below it the vertical
 * one, both of which are legal edits: the result is an upper bound, and exact wherever it is <= k. Rows that
 * the band leaves behind at its top are added to the counter as they go.
 *
 * Rows come in multiples of four, so that the band moves by four columns and four rows.
 */
import { add4, clear } from "./counter";

/** Sets the vertical differences of rows 0..rows-1 to +1. */
export function startColumn(v: usize, rows: i32): void {
  const ones = i64x2.splat(-1);
  const zero = i64x2.splat(0);
  const end = v + ((<usize>rows) << 5);
  while (v < end) {
    v128.store(v, ones);
    v128.store(v, zero, 16);
    v += 32;
  }
}

/** Advances four columns over rows `from`..`to`-1; `e0`..`e3` are the columns' equality rows. */
function fourColumns(v: usize, from: i32, to: i32, e0: usize, e1: usize, e2: usize, e3: usize): void {
  let a0 = i64x2.splat(0),
    m0 = a0,
    a1 = a0,
    m1 = a0,
    a2 = a0,
    m2 = a0,
    a3 = a0,
    m3 = a0;
  let row = v + ((<usize>from) << 5);
  const end = v + ((<usize>to) << 5);
  const skip = (<usize>from) << 4;
  e0 += skip;
  e1 += skip;
  e2 += skip;
  e3 += skip;
  while (row < end) {
    let p = v128.load(row);
    let m = v128.load(row, 16);

    let d = v128.or(v128.or(v128.load(e0), m0), m);
    let x = v128.xor(d, m0);
    let y = v128.xor(d, m);
    m0 = v128.and(p, d);
    m = v128.andnot(d, a0);
    let q = v128.andnot(a0, x);
    a0 = v128.or(p, y);

    d = v128.or(v128.or(v128.load(e1), m1), m);
    x = v128.xor(d, m1);
    y = v128.xor(d, m);
    m1 = v128.and(q, d);
    m = v128.andnot(d, a1);
    p = v128.andnot(a1, x);
    a1 = v128.or(q, y);

    d = v128.or(v128.or(v128.load(e2), m2), m);
    x = v128.xor(d, m2);
    y = v128.xor(d, m);
    m2 = v128.and(p, d);
    m = v128.andnot(d, a2);
    q = v128.andnot(a2, x);
    a2 = v128.or(p, y);

    d = v128.or(v128.or(v128.load(e3), m3), m);
    x = v128.xor(d, m3);
    y = v128.xor(d, m);
    m3 = v128.and(q, d);
    m = v128.andnot(d, a3);
    p = v128.andnot(a3, x);
    a3 = v128.or(q, y);

    v128.store(row, p);
    v128.store(row, m, 16);
    row += 32;
    e0 += 16;
    e1 += 16;
    e2 += 16;
    e3 += 16;
  }
}

/** Advances one column over rows `from`..`to`-1. */
function oneColumn(v: usize, from: i32, to: i32, e: usize): void {
  let ah = i64x2.splat(0),
    mh = ah;
  let row = v + ((<usize>from) << 5);
  const end = v + ((<usize>to) << 5);
  e += (<usize>from) << 4;
  while (row < end) {
    const p = v128.load(row);
    const m = v128.load(row, 16);
    const d = v128.or(v128.or(v128.load(e), mh), m);
    v128.store(row, v128.andnot(ah, v128.xor(d, mh)));
    v128.store(row, v128.andnot(d, ah), 16);
    mh = v128.and(p, d);
    ah = v128.or(p, v128.xor(d, m));
    row += 32;
    e += 16;
  }
}

/** First row (0-based, a multiple of four) that the band keeps from column `j` (0-based) on. */
export function bandTop(j: i32, low: i32): i32 {
  return max(0, j + low) & ~3;
}

/**
 * One text against up to 128 patterns whose equality rows stand in `table` (row i of code c at
 * (c * rows + i) * 16); leaves the counter in `planes`, where D = total - m + n.
 * `low`..`high` are the diagonals i - j to be covered.
 */
export function sweepText(
  table: usize,
  rows: i32,
  text: usize,
  n: i32,
  alive: usize,
  v: usize,
  planes: usize,
  low: i32,
  high: i32,
): void {
  startColumn(v, rows);
  clear(planes);
  const stride = (<usize>rows) << 4;
  let top = 0;
  let j = 0;
  while (j < n) {
    const width = j + 4 <= n ? 4 : 1;
    const next = bandTop(j, low);
    while (top < next) {
      add4(planes, v + ((<usize>top) << 5), 0, 0);
      top += 4;
    }
    const bottom = min(rows, (j + width + high + 3) & ~3);
    const t = text + <usize>j;
    if (width == 4) {
      fourColumns(
        v,
        top,
        bottom,
        table + <usize>load<u8>(t) * stride,
        table + <usize>load<u8>(t, 1) * stride,
        table + <usize>load<u8>(t, 2) * stride,
        table + <usize>load<u8>(t, 3) * stride,
      );
    } else {
      oneColumn(v, top, bottom, table + <usize>load<u8>(t) * stride);
    }
    j += width;
  }
  while (top < rows) {
    add4(planes, v + ((<usize>top) << 5), alive + ((<usize>top) << 4), 0);
    top += 4;
  }
}

/** Lanes whose pattern row at `p` and text column (t0, t1) differ in the two low planes of their codes. */
function unequal2(p: usize, t0: v128, t1: v128): v128 {
  return v128.or(v128.xor(v128.load(p), t0), v128.xor(v128.load(p, 16), t1));
}

/** Two columns of 128 pairs with texts of their own, codes of two bits. */
function twoColumns2(v: usize, from: i32, to: i32, pattern: usize, text: usize): void {
  let a0 = i64x2.splat(0),
    m0 = a0,
    a1 = a0,
    m1 = a0;
  const s0 = v128.load(text),
    s1 = v128.load(text, 16),
    t0 = v128.load(text, 32),
    t1 = v128.load(text, 48);
  let row = v + ((<usize>from) << 5);
  const end = v + ((<usize>to) << 5);
  let code = pattern + ((<usize>from) << 5);
  const ones = i64x2.splat(-1);
  while (row < end) {
    let p = v128.load(row);
    let m = v128.load(row, 16);

    let d = v128.or(v128.or(v128.andnot(ones, unequal2(code, s0, s1)), m0), m);
    let x = v128.xor(d, m0);
    let y = v128.xor(d, m);
    m0 = v128.and(p, d);
    m = v128.andnot(d, a0);
    let q = v128.andnot(a0, x);
    a0 = v128.or(p, y);

    d = v128.or(v128.or(v128.andnot(ones, unequal2(code, t0, t1)), m1), m);
    x = v128.xor(d, m1);
    y = v128.xor(d, m);
    m1 = v128.and(q, d);
    m = v128.andnot(d, a1);
    p = v128.andnot(a1, x);
    a1 = v128.or(q, y);

    v128.store(row, p);
    v128.store(row, m, 16);
    row += 32;
    code += 32;
  }
}

/** One column of 128 pairs with texts of their own, codes of `bits` bits, two or more. */
function oneColumnOf(v: usize, from: i32, to: i32, pattern: usize, text: usize, bits: i32): void {
  let ah = i64x2.splat(0),
    mh = ah;
  let row = v + ((<usize>from) << 5);
  const end = v + ((<usize>to) << 5);
  const size = (<usize>bits) << 4;
  let code = pattern + <usize>from * size;
  const ones = i64x2.splat(-1);
  while (row < end) {
    const p = v128.load(row);
    const m = v128.load(row, 16);
    let differs = unequal2(code, v128.load(text), v128.load(text, 16));
    for (let b: usize = 32; b < size; b += 16) {
      differs = v128.or(differs, v128.xor(v128.load(code + b), v128.load(text + b)));
    }
    const d = v128.or(v128.or(v128.andnot(ones, differs), mh), m);
    v128.store(row, v128.andnot(ah, v128.xor(d, mh)));
    v128.store(row, v128.andnot(d, ah), 16);
    mh = v128.and(p, d);
    ah = v128.or(p, v128.xor(d, m));
    row += 32;
    code += size;
  }
}

/**
 * Up to 128 pairs with a pattern and a text each, as bit planes (row i, plane b of the patterns at
 * (i * bits + b) * 16, the texts alike); `ends` lists the distinct text lengths in ascending order with the
 * mask of the lanes that end there and that of the lanes still live before (i32 length, v128 at +16, v128 at
 * +32; 48 bytes each).
 */
export function sweepLanes(
  pattern: usize,
  rows: i32,
  text: usize,
  bits: i32,
  ends: usize,
  endCount: i32,
  alive: usize,
  v: usize,
  planes: usize,
  low: i32,
  high: i32,
): void {
  startColumn(v, rows);
  clear(planes);
  const size = (<usize>bits) << 4;
  let top = 0;
  let j = 0;
  for (let e = 0; e < endCount; e++) {
    const n = load<i32>(ends);
    while (j < n) {
      const width = bits == 2 && j + 2 <= n ? 2 : 1;
      const next = bandTop(j, low);
      while (top < next) {
        add4(planes, v + ((<usize>top) << 5), alive + ((<usize>top) << 4), ends + 32);
        top += 4;
      }
      const bottom = min(rows, (j + width + high + 3) & ~3);
      const t = text + <usize>j * size;
      if (width == 2) twoColumns2(v, top, bottom, pattern, t);
      else oneColumnOf(v, top, bottom, pattern, t, bits);
      j += width;
    }
    for (let i = top; i < rows; i += 4) {
      add4(planes, v + ((<usize>i) << 5), alive + ((<usize>i) << 4), ends + 16);
    }
    ends += 48;
  }
}
