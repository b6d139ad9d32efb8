/**
 * @file The Needleman-Wunsch matrix of one pair, row by row, and the softmax of its rows.
 *
 * With match +1, mismatch -1 and gap -1 (Needleman and Wunsch 1970), M[i][j] is the best score of the first i
 * letters of the target against the first j of the source. Here a row is held as B[j] = M[i][j] + i + j, in
 * which gaps are free:
 *
 *     B[i][j] = max(B[i-1][j-1] + (3 if equal, else 1), B[i-1][j], B[i][j-1]),   B[i][0] = B[0][j] = 0
 *
 * so that the dependence along the row is a running maximum of eight 16-bit lanes in three shuffles, and no
 * cell is negative. `ramp` holds j of every column and the greatest integer beyond the last one, which takes
 * lanes without a column out of every maximum and gives them a share of 0.
 */

/** The lanes of `v` moved up by one; `low` gives its last lane to the first. */
function push(low: v128, v: v128): v128 {
  return v128.shuffle<i16>(low, v, 7, 8, 9, 10, 11, 12, 13, 14);
}

/** Running maximum of non-negative lanes. */
function runningMax(v: v128): v128 {
  const zero = i64x2.splat(0);
  v = i16x8.max_s(v, v128.shuffle<i16>(zero, v, 7, 8, 9, 10, 11, 12, 13, 14));
  v = i16x8.max_s(v, v128.shuffle<i16>(zero, v, 6, 7, 8, 9, 10, 11, 12, 13));
  return i16x8.max_s(v, v128.shuffle<i16>(zero, v, 4, 5, 6, 7, 8, 9, 10, 11));
}

/** Turns row i - 1 (columns 1..n, padded to vectors) into row i, whose letter is `code`; returns the greatest M + i. */
function advance(source: usize, n: i32, code: i32, row: usize, ramp: usize): i32 {
  const letter = i16x8.splat(<i16>code);
  const one = i16x8.splat(1);
  const two = i16x8.splat(2);
  let old = i64x2.splat(0);
  let left = old;
  let greatest = old;
  const end = row + ((<usize>n) << 1);
  while (row < end) {
    const above = v128.load(row);
    const equal = v128.and(i16x8.eq(v128.load_ext<u8>(source), letter), two);
    const corner = i16x8.add(push(old, above), i16x8.add(equal, one));
    const here = i16x8.max_s(runningMax(i16x8.max_s(corner, above)), left);
    v128.store(row, here);
    greatest = i16x8.max_s(greatest, i16x8.sub(here, v128.load(ramp)));
    old = above;
    left = v128.shuffle<i16>(here, here, 7, 7, 7, 7, 7, 7, 7, 7);
    source += 8;
    row += 16;
    ramp += 16;
  }
  greatest = i16x8.max_s(greatest, v128.shuffle<i16>(greatest, greatest, 4, 5, 6, 7, 4, 5, 6, 7));
  greatest = i16x8.max_s(greatest, v128.shuffle<i16>(greatest, greatest, 2, 3, 2, 3, 2, 3, 2, 3));
  return max(<i32>i16x8.extract_lane_s(greatest, 0), <i32>i16x8.extract_lane_s(greatest, 1));
}

/** The table's entries at lanes 0..3 of `index`. */
function look4(table: usize, index: v128): v128 {
  let v = v128.load32_zero(table + <usize>i16x8.extract_lane_u(index, 0));
  v = v128.load32_lane(table + <usize>i16x8.extract_lane_u(index, 1), v, 1);
  v = v128.load32_lane(table + <usize>i16x8.extract_lane_u(index, 2), v, 2);
  return v128.load32_lane(table + <usize>i16x8.extract_lane_u(index, 3), v, 3);
}

/** Writes the softmax of a row's n + 1 columns; overwrites up to 28 bytes beyond them. */
function softmaxRow(
  row: usize,
  n: i32,
  greatest: i32,
  ramp: usize,
  table: usize,
  last: i32,
  out: usize,
): void {
  const top = i16x8.splat(<i16>greatest);
  const most = i16x8.splat(<i16>last);
  const first = load<f32>(table + ((<usize>min(greatest, last)) << 2));
  store<f32>(out, first);
  let sums = f32x4.replace_lane(i64x2.splat(0), 0, first);
  const end = row + ((<usize>n) << 1);
  let at = out + 4;
  while (row < end) {
    const score = i16x8.sub(v128.load(row), v128.load(ramp));
    const below = i16x8.shl(i16x8.min_s(i16x8.sub_sat_s(top, score), most), 2);
    const low = look4(table, below);
    const high = look4(table, v128.shuffle<i64>(below, below, 1, 1));
    v128.store(at, low);
    v128.store(at, high, 16);
    sums = f32x4.add(sums, f32x4.add(low, high));
    row += 16;
    ramp += 16;
    at += 32;
  }
  const sum =
    f32x4.extract_lane(sums, 0) +
    f32x4.extract_lane(sums, 1) +
    (f32x4.extract_lane(sums, 2) + f32x4.extract_lane(sums, 3));
  const scale = f32x4.splat(1 / sum);
  for (; out < at; out += 16) v128.store(out, f32x4.mul(v128.load(out), scale));
}

/** Writes M of a row's n + 1 columns as 16-bit integers; overwrites up to 14 bytes beyond them. */
function scoreRow(row: usize, n: i32, i: i32, ramp: usize, out: usize): void {
  const shift = i16x8.splat(<i16>i);
  store<i16>(out, <i16>-i);
  out += 2;
  const end = row + ((<usize>n) << 1);
  while (row < end) {
    v128.store(out, i16x8.sub(i16x8.sub(v128.load(row), v128.load(ramp)), shift));
    row += 16;
    ramp += 16;
    out += 16;
  }
}

/**
 * Rows `from`..`to`-1 of the matrix, to `out` in steps of `stride` bytes, zeros beyond its n + 1 columns. `row`
 * holds row `from` - 1 (zeros for row 0) and is left at the last one. `table` [last + 1] holds exp(-d) for
 * shares 32 bits wide; an address of 0 means scores, 16 bits wide. Eight vectors beyond the last row may be overwritten.
 */
export function alignRows(
  source: usize,
  n: i32,
  target: usize,
  from: i32,
  to: i32,
  row: usize,
  ramp: usize,
  table: usize,
  last: i32,
  out: usize,
  stride: usize,
): void {
  const used = (<usize>n + 1) << (table ? 2 : 1);
  for (let i = from; i < to; i++) {
    const greatest = i ? advance(source, n, <i32>load<u8>(target + <usize>i - 1), row, ramp) : 0;
    if (table) softmaxRow(row, n, greatest, ramp, table, last, out);
    else scoreRow(row, n, i, ramp, out);
    memory.fill(out + used, 0, stride - used);
    out += stride;
  }
}
