/**
 * @file Pearson's and Spearman's correlation of paired numbers, of which there may be tens of millions.
 *
 * Spearman's is Pearson's of the ranks, so all the work is in ranking. It is a radix sort from the least
 * significant digit (Knuth, "The art of computer programming" 3, 5.2.5) of doubles by their bits, which need a
 * sign flip to be in order. Each number travels with its index, so that the sort reads memory in a row, and a
 * digit that all numbers share costs no pass: small integers take three of the six, float32 four. O(n) time, 24
 * bytes of memory a number; exact.
 */

/** Pearson's correlation coefficient; NaN where either side is constant. */
export function pearson(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const count = x.length;
  let meanX = 0;
  let meanY = 0;
  for (let i = 0; i < count; i++) {
    meanX += x[i];
    meanY += y[i];
  }
  meanX /= count;
  meanY /= count;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < count; i++) {
    const dx = x[i] - meanX;
    const dy = y[i] - meanY;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xy / Math.sqrt(xx * yy);
}

/** Ranks from 1, ties sharing the mean of theirs. */
export function ranks(values: ArrayLike<number>): Float64Array {
  const out = new Float64Array(values.length);
  const order = sortedRecords(values);
  for (let start = 0, end = 0; start < order.length; start = end) {
    for (end = start + WORDS; order[end] === order[start] && order[end + 1] === order[start + 1];)
      end += WORDS;
    const rank = (start + end + WORDS) / (2 * WORDS);
    for (let at = start; at < end; at += WORDS) out[order[at + 2]] = rank;
  }
  return out;
}

/** The places of the values in ascending order, those of equal values in theirs. */
export function ascending(values: ArrayLike<number>): Uint32Array {
  const records = sortedRecords(values);
  return Uint32Array.from({ length: values.length }, (_, i) => records[WORDS * i + 2]);
}

/** Words of a record: the low and the high half of a number's bits, and its index. */
const WORDS = 3;
const DIGIT_BITS = 11;
const DIGITS = 1 << DIGIT_BITS;
const DIGIT_MASK = DIGITS - 1;

/** Records of `values`, ascending. */
function sortedRecords(values: ArrayLike<number>): Uint32Array {
  const size = WORDS * values.length;
  let records = new Uint32Array(size);
  let next = new Uint32Array(size);
  const view = new Float64Array(1);
  const [low, high] = [0, 1];
  const halves = new Uint32Array(view.buffer);
  for (let i = 0, at = 0; i < values.length; i++, at += WORDS) {
    // −0 and 0 tie.
    view[0] = values[i] + 0;
    // As integers, the bits of negative numbers descend and come after those of the others.
    const negative = halves[high] >> 31;
    records[at] = halves[low] ^ negative;
    records[at + 1] = halves[high] ^ (negative | 0x80000000);
    records[at + 2] = i;
  }
  for (const half of [low, high]) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      // Where the next record of each digit goes.
      const places = new Float64Array(DIGITS + 1);
      for (let at = half; at < size; at += WORDS) places[((records[at] >>> shift) & DIGIT_MASK) + 1] += WORDS;
      if (places.includes(size)) continue;
      for (let digit = 0; digit < DIGITS; digit++) places[digit + 1] += places[digit];
      for (let at = 0; at < size; at += WORDS) {
        const digit = (records[at + half] >>> shift) & DIGIT_MASK;
        const to = places[digit];
        places[digit] += WORDS;
        next[to] = records[at];
        next[to + 1] = records[at + 1];
        next[to + 2] = records[at + 2];
      }
      [records, next] = [next, records];
    }
  }
  return records;
}
