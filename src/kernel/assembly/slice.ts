/**
 * @file Turning sequences into bit slices: bit l of a vector belongs to sequence l of a group of 128.
 *
 * Sixteen positions of sixteen sequences are transposed as bytes by four rounds of perfect shuffles; comparing
 * a transposed row with a code and gathering the lanes' top bits then gives sixteen bits of the slice at once.
 * Positions beyond the end of a sequence read as 255, which no code equals.
 */

/** Scratch for one 16 x 16 transposition: two times 16 v128. */
const scratch: usize = memory.data(512, 16);
const positions: usize = memory.data<u8>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], 16);

/**
 * Transposes positions `from`..`from`+15 of sequences `first`..`first`+15 into `scratch` [position] v128. An
 * entry is (address, length), 8 bytes; lanes from `lanes` on repeat the last one.
 */
function transpose(entries: usize, lanes: i32, first: i32, from: i32): void {
  const iota = v128.load(positions);
  const past = i8x16.splat(-1);
  for (let l = 0; l < 16; l++) {
    const entry = entries + ((<usize>min(first + l, lanes - 1)) << 3);
    const left = <i32>load<u32>(entry, 4) - from;
    const cell = scratch + ((<usize>l) << 4);
    if (left <= 0) {
      v128.store(cell, past);
    } else {
      const symbols = v128.load(<usize>load<u32>(entry) + <usize>from);
      const inside = i8x16.gt_s(i8x16.splat(<i8>min(left, 16)), iota);
      v128.store(cell, v128.bitselect(symbols, past, inside));
    }
  }
  let source = scratch;
  let target = scratch + 256;
  for (let round = 0; round < 4; round++) {
    for (let i: usize = 0; i < 128; i += 16) {
      const a = v128.load(source + i);
      const b = v128.load(source + i, 128);
      const to = target + (i << 1);
      v128.store(to, i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
      v128.store(to, i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31), 16);
    }
    const swap = source;
    source = target;
    target = swap;
  }
}

/** Row masks: bit l of `alive` [rows] v128 says whether lane l reaches the row. */
function storeAlive(alive: usize, row: v128): void {
  store<u16>(alive, <u16>~i8x16.bitmask(i8x16.eq(row, i8x16.splat(-1))));
}

/**
 * Equality rows of the codes below `codes` to `table` [codes][rows] v128 and row masks to `alive` [rows] v128,
 * of up to 128 patterns. `rows` is a multiple of four, and 16 readable bytes follow every sequence.
 */
export function slicePatterns(
  entries: usize,
  lanes: i32,
  rows: i32,
  codes: i32,
  table: usize,
  alive: usize,
): void {
  const stride = (<usize>rows) << 4;
  for (let first = 0; first < 128; first += 16) {
    const column = (<usize>first) >> 3;
    for (let from = 0; from < rows; from += 16) {
      transpose(entries, lanes, first, from);
      const count = min(16, rows - from);
      for (let r = 0; r < count; r++) {
        const row = v128.load(scratch + ((<usize>r) << 4));
        const at = ((<usize>(from + r)) << 4) + column;
        storeAlive(alive + at, row);
        for (let code = 0; code < codes; code++) {
          store<u16>(
            table + <usize>code * stride + at,
            <u16>i8x16.bitmask(i8x16.eq(row, i8x16.splat(<i8>code))),
          );
        }
      }
    }
  }
}

/**
 * Bit planes of up to 128 sequences to `planes` [rows][bits] v128, and their row masks to `alive` [rows] v128
 * unless that is 0; returns the bitwise or of all codes, which says whether `bits` were enough. What planes hold
 * beyond the end of a sequence is unspecified.
 */
export function sliceCodes(
  entries: usize,
  lanes: i32,
  rows: i32,
  bits: i32,
  planes: usize,
  alive: usize,
): i32 {
  const past = i8x16.splat(-1);
  let seen = i8x16.splat(0);
  const size = (<usize>bits) << 4;
  for (let first = 0; first < 128; first += 16) {
    const column = (<usize>first) >> 3;
    for (let from = 0; from < rows; from += 16) {
      transpose(entries, lanes, first, from);
      const count = min(16, rows - from);
      for (let r = 0; r < count; r++) {
        const row = v128.load(scratch + ((<usize>r) << 4));
        seen = v128.or(seen, v128.andnot(row, i8x16.eq(row, past)));
        const position = <usize>(from + r);
        if (alive) storeAlive(alive + (position << 4) + column, row);
        const at = planes + position * size + column;
        for (let b = 0; b < bits; b++) {
          store<u16>(at + ((<usize>b) << 4), <u16>i8x16.bitmask(i8x16.shl(row, 7 - b)));
        }
      }
    }
  }
  const folded = i64x2.extract_lane(seen, 0) | i64x2.extract_lane(seen, 1);
  const half = (<u32>folded) | (<u32>(folded >> 32));
  return <i32>((half | (half >>> 8) | (half >>> 16) | (half >>> 24)) & 255);
}

/** The greatest of `count` codes; 0 for none. */
export function greatestCode(codes: usize, count: i32): i32 {
  let greatest = i8x16.splat(0);
  const end = codes + <usize>count;
  while (codes + 16 <= end) {
    greatest = i8x16.max_u(greatest, v128.load(codes));
    codes += 16;
  }
  let result = 0;
  while (codes < end) {
    result = max(result, <i32>load<u8>(codes));
    codes += 1;
  }
  v128.store(scratch, greatest);
  for (let lane: usize = 0; lane < 16; lane++) result = max(result, <i32>load<u8>(scratch + lane));
  return result;
}
