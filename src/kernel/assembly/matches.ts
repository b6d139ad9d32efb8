/**
 * @file In how many places two rows of an alignment have the same letter, sixteen at a time.
 */

/** Equal bytes of two rows of `size` bytes, whole vectors. */
export function equalBytes(a: usize, b: usize, size: usize): i32 {
  let total = i32x4.splat(0);
  for (let at: usize = 0; at < size;) {
    // A lane counts to 255 before it is added up.
    const end = min(size, at + 16 * 255);
    let counts = i8x16.splat(0);
    for (; at < end; at += 16) {
      counts = i8x16.sub(counts, i8x16.eq(v128.load(a + at), v128.load(b + at)));
    }
    total = i32x4.add(total, i32x4.extadd_pairwise_i16x8_u(i16x8.extadd_pairwise_i8x16_u(counts)));
  }
  return (
    i32x4.extract_lane(total, 0) +
    i32x4.extract_lane(total, 1) +
    i32x4.extract_lane(total, 2) +
    i32x4.extract_lane(total, 3)
  );
}
