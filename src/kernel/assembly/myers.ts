/**
 * @file The edit distance of one pair: Myers' bit-vector algorithm in blocks of 64 rows, inside a band.
 *
 * Blocks and their carries follow Myers (1999) and Hyyrö (2003). As in the bit-sliced kernel, only the blocks
 * that meet the diagonals of a path of cost <= k are computed, the result is an upper bound that is exact when
 * it is <= k, and k grows until it is. O(nk/64) in all.
 */

/**
 * Distance of `pattern` (m codes) and `text` (n codes), or a number above `cap` where it is greater than that.
 * `table` has room for codes * blocks u64, `state` for 2 * blocks u64.
 */
export function myers(
  pattern: usize,
  m: i32,
  text: usize,
  n: i32,
  codes: i32,
  table: usize,
  state: usize,
  cap: i32,
): i32 {
  const shift = m - n;
  if (abs(shift) > cap) return i32.MAX_VALUE;
  const blocks = (m + 63) >> 6;
  const stride = (<usize>blocks) << 3;
  memory.fill(table, 0, <usize>codes * stride);
  for (let i = 0; i < m; i++) {
    const cell = table + <usize>load<u8>(pattern + <usize>i) * stride + (((<usize>i) >> 6) << 3);
    store<u64>(cell, load<u64>(cell) | ((<u64>1) << ((<u64>i) & 63)));
  }
  let k = min(cap, max(abs(shift), 64));
  while (true) {
    const d = band(text, m, n, blocks, table, state, -((k - shift) >> 1), (k + shift) >> 1);
    if (d <= k || k == cap) return d;
    k = min(cap, min(d, k << 1));
  }
}

function band(
  text: usize,
  m: i32,
  n: i32,
  blocks: i32,
  table: usize,
  state: usize,
  low: i32,
  high: i32,
): i32 {
  const stride = (<usize>blocks) << 3;
  for (let b = 0; b < blocks; b++) {
    const at = state + ((<usize>b) << 4);
    store<u64>(at, u64.MAX_VALUE);
    store<u64>(at, 0, 8);
  }
  let score = n;
  let first = 0;
  for (let j = 0; j < n; j++) {
    const top = max(0, j + low) >> 6;
    while (first < top) {
      const at = state + ((<usize>first) << 4);
      score += <i32>popcnt(load<u64>(at)) - <i32>popcnt(load<u64>(at, 8));
      first++;
    }
    const last = min(blocks - 1, (j + high) >> 6);
    const row = table + <usize>load<u8>(text + <usize>j) * stride;
    let plus: u64 = 1;
    let minus: u64 = 0;
    for (let b = first; b <= last; b++) {
      const at = state + ((<usize>b) << 4);
      const pv = load<u64>(at);
      const mv = load<u64>(at, 8);
      let eq = load<u64>(row + ((<usize>b) << 3));
      const xv = eq | mv;
      eq |= minus;
      const xh = (((eq & pv) + pv) ^ pv) | eq;
      let ph = mv | ~(xh | pv);
      let mh = pv & xh;
      const plusOut = ph >> 63;
      const minusOut = mh >> 63;
      ph = (ph << 1) | plus;
      mh = (mh << 1) | minus;
      store<u64>(at, mh | ~(xv | ph));
      store<u64>(at, ph & xv, 8);
      plus = plusOut;
      minus = minusOut;
    }
  }
  for (let b = first; b < blocks; b++) {
    const at = state + ((<usize>b) << 4);
    const rows = m - (b << 6);
    const mask: u64 = rows >= 64 ? u64.MAX_VALUE : ((<u64>1) << (<u64>rows)) - 1;
    score += <i32>popcnt(load<u64>(at) & mask) - <i32>popcnt(load<u64>(at, 8) & mask);
  }
  return score;
}
