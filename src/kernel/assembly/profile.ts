/**
 * @file Global alignment of two profiles with affine gaps whose cost differs from column to column.
 *
 * H(i,j) is the best score of the first i columns of the one (the rows here) against the first j of the other:
 *
 *     D(i,j) = H(i-1,j-1) + s(i,j)
 *     E(i,j) = max(H(i-1,j) - edge(i), E(i-1,j)) - extend(i)               a gap opposite row i; leaves at edge(i)
 *     F(i,j) = max(max(D,E-edge)(i,j-1) - edge(j), F(i,j-1)) - extend(j)   a gap opposite column j; leaves at edge(j)
 *     H(i,j) = max(D, E - edge(i), F - edge(j))
 *
 * (Gotoh 1982; with penalties of columns as in Edgar's MUSCLE 2004). Rows are swept four columns at a time. F depends
 * on cells of its own row: with P(j) the sum of extend up to column j it is a running maximum,
 *
 *     F(i,j) - edge(j) = max over k < j of (max(D,E-edge)(i,k) + leave(k)) - enter(j),
 *     leave(k) = P(k) - edge(k+1),   enter(j) = P(j) + edge(j),
 *
 * which takes two shuffles. Scores s(i,.) are a weighted sum of few planes, those of the letters in row i: a plane
 * holds, for a letter, its score against every column. Of each cell four bits are kept, which say how it was reached:
 * half a byte, so that two sequences of 30,000 letters fit into 450 MB.
 *
 * In 32-bit floats: exact for integer scores below 2^24.
 */

const LOW: f32 = -1e30;

/** planes[a][j] = sum over b of scores[a, b] counts[b][j]; rows of planes and counts are `stride` bytes, whole vectors. */
export function scorePlanes(letters: i32, stride: usize, counts: usize, scores: usize, planes: usize): void {
  const width = (<usize>letters) << 2;
  for (let a: usize = 0; a < width; a += 4) {
    const row = scores + a * <usize>letters;
    for (let at: usize = 0; at < stride; at += 16) {
      let sum = f32x4.splat(0);
      let from = counts + at;
      for (let b: usize = 0; b < width; b += 4) {
        sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(row + b), v128.load(from)));
        from += stride;
      }
      v128.store(planes + at, sum);
    }
    planes += stride;
  }
}

/** The lanes of `v` moved up by one; `low` gives its last lane to the first. */
function push(low: v128, v: v128): v128 {
  return v128.shuffle<i32>(low, v, 3, 4, 5, 6);
}

/** Weighted sum of planes: entries are pairs of an address and a weight. */
function sumPlanes(entry: usize, end: usize, size: usize, out: usize): void {
  let weight = v128.load32_splat(entry + 4);
  let plane = <usize>load<u32>(entry);
  entry += 8;
  if (entry == end) {
    for (let at: usize = 0; at < size; at += 16)
      v128.store(out + at, f32x4.mul(weight, v128.load(plane + at)));
    return;
  }
  let other = v128.load32_splat(entry + 4);
  let second = <usize>load<u32>(entry);
  entry += 8;
  for (let at: usize = 0; at < size; at += 16) {
    v128.store(
      out + at,
      f32x4.add(f32x4.mul(weight, v128.load(plane + at)), f32x4.mul(other, v128.load(second + at))),
    );
  }
  for (; entry < end; entry += 8) {
    weight = v128.load32_splat(entry + 4);
    plane = <usize>load<u32>(entry);
    for (let at: usize = 0; at < size; at += 16) {
      v128.store(out + at, f32x4.add(v128.load(out + at), f32x4.mul(weight, v128.load(plane + at))));
    }
  }
}

/**
 * One row of cells. `scores` [n], `row` (H) and `gaps` (E) [n] start at column 1, `leave` and `enter` at column 0 and 1;
 * `corner` and `first` are H of column 0 in the row above and in this one. Writes two bytes of bits for four columns.
 */
function sweepRow(
  size: usize,
  scores: usize,
  row: usize,
  gaps: usize,
  corner: f32,
  first: f32,
  edge: f32,
  extend: f32,
  leave: usize,
  enter: usize,
  bits: usize,
): void {
  const lowest = f32x4.splat(LOW);
  const edges = f32x4.splat(edge);
  const extending = f32x4.splat(extend);
  let old = f32x4.splat(corner);
  let best = f32x4.splat(first + load<f32>(leave));
  leave += 4;
  for (let at: usize = 0; at < size; at += 16) {
    const above = v128.load(row + at);
    const pair = f32x4.add(push(old, above), v128.load(scores + at));
    old = above;
    const opened = f32x4.sub(above, edges);
    const going = v128.load(gaps + at);
    const gap = f32x4.sub(f32x4.pmax(opened, going), extending);
    v128.store(gaps + at, gap);
    const down = f32x4.sub(gap, edges);
    const reached = f32x4.pmax(pair, down);
    const left = f32x4.add(reached, v128.load(leave + at));
    let running = f32x4.pmax(left, push(lowest, left));
    running = f32x4.pmax(running, v128.shuffle<i32>(lowest, running, 2, 3, 4, 5));
    const before = f32x4.pmax(best, push(lowest, running));
    best = f32x4.pmax(best, v128.shuffle<i32>(running, running, 3, 3, 3, 3));
    const across = f32x4.sub(before, v128.load(enter + at));
    v128.store(row + at, f32x4.pmax(reached, across));
    store<u16>(
      bits,
      i32x4.bitmask(f32x4.gt(down, pair)) |
        (i32x4.bitmask(f32x4.gt(across, reached)) << 4) |
        (i32x4.bitmask(f32x4.gt(going, opened)) << 8) |
        (i32x4.bitmask(f32x4.ge(left, before)) << 12),
    );
    bits += 2;
  }
}

/**
 * Aligns m rows with n columns; returns the score. Arrays over columns are padded to `size` bytes, whole vectors.
 *
 * `offsets` [m+1] u32 and `entries` [.., 2] (plane, weight) give the scores of row i; `costs` [m, 2] its edge and
 * extend; `leave` [n+1] and `enter` [n] those of the columns, `endLeave` and `endEnter` before the first and after
 * the last row, `share` the part of a row's costs before the first and after the last column. `scores`, `row`, `gaps`
 * [size] are room to work in. Bits of the cells go to `bits` [m, size / 8], and to `ends` [m] those of the last column:
 * 1 where it was reached by a gap at the end, 2 where that gap went on.
 */
export function alignProfiles(
  m: i32,
  n: i32,
  size: usize,
  offsets: usize,
  entries: usize,
  costs: usize,
  leave: usize,
  enter: usize,
  endLeave: usize,
  endEnter: usize,
  share: f32,
  scores: usize,
  row: usize,
  gaps: usize,
  bits: usize,
  ends: usize,
): f32 {
  const start = load<f32>(endLeave);
  for (let at: usize = 0; at < size; at += 16) {
    v128.store(row + at, f32x4.sub(f32x4.splat(start), v128.load(endEnter + at)));
    v128.store(gaps + at, f32x4.splat(LOW));
  }
  const last = row + ((<usize>n - 1) << 2);
  let corner: f32 = 0;
  let lead: f32 = LOW;
  let trail: f32 = LOW;
  for (let i = 0; i < m; i++) {
    const edge = load<f32>(costs);
    const extend = load<f32>(costs, 4);
    costs += 8;
    lead = max(corner - edge * share, lead) - extend * share;
    const first = lead - edge * share;
    if (n > 0) {
      const fresh = load<f32>(last) - edge * share;
      const goesOn = trail > fresh;
      trail = max(fresh, trail) - extend * share;
      sumPlanes(
        entries + ((<usize>load<u32>(offsets)) << 3),
        entries + ((<usize>load<u32>(offsets, 4)) << 3),
        size,
        scores,
      );
      const ending = i == m - 1;
      sweepRow(
        size,
        scores,
        row,
        gaps,
        corner,
        first,
        edge,
        extend,
        ending ? endLeave : leave,
        ending ? endEnter : enter,
        bits,
      );
      const ended = trail - edge * share;
      const better = ended > load<f32>(last);
      if (better) store<f32>(last, ended);
      store<u8>(ends, (<u8>better) | ((<u8>goesOn) << 1));
      ends++;
      bits += size >> 3;
      offsets += 4;
    }
    corner = first;
  }
  return n > 0 ? load<f32>(last) : corner;
}
