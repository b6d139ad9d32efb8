/**
 * @file Edit distances with a substitution-cost matrix and a linear gap cost (Sellers 1974), one pattern per
 * vector lane against a common text.
 *
 * As in Rognes and Seeberg's inter-sequence alignment, the costs of a text symbol against row i of every
 * pattern are looked up once, in a profile, so that a cell is one load, three additions and two minima. Lanes
 * are 16 bits wide where the greatest possible distance fits, and 32 otherwise.
 */

/** Profile row i of code c at (c * rows + i) * 16: the costs of c against row i of each pattern. */
function profile<T>(entries: usize, lanes: i32, rows: i32, codes: i32, costs: usize, table: usize): void {
  memory.fill(table, 0, (<usize>codes * <usize>rows) << 4);
  for (let lane = 0; lane < lanes; lane++) {
    const entry = entries + ((<usize>lane) << 3);
    const start = <usize>load<u32>(entry);
    const end = start + <usize>load<u32>(entry, 4);
    for (let code = 0; code < codes; code++) {
      let at = table + ((<usize>(code * rows)) << 4) + <usize>lane * sizeof<T>();
      const row = costs + ((<usize>code) << 5);
      for (let symbol = start; symbol < end; symbol++) {
        store<T>(at, <T>load<u8>(row + <usize>load<u8>(symbol)));
        at += 16;
      }
    }
  }
}

/** Eight patterns of 16-bit costs. */
export function profile16(
  entries: usize,
  lanes: i32,
  rows: i32,
  codes: i32,
  costs: usize,
  table: usize,
): void {
  profile<u16>(entries, lanes, rows, codes, costs, table);
}

/** Four patterns of 32-bit costs. */
export function profile32(
  entries: usize,
  lanes: i32,
  rows: i32,
  codes: i32,
  costs: usize,
  table: usize,
): void {
  profile<u32>(entries, lanes, rows, codes, costs, table);
}

/** Texts 0..count-1 (entries of address and length, as the patterns) against the profile: `out` [count][lanes] i32; `column` has room for rows v128. */
function weigh<T>(
  table: usize,
  rows: i32,
  lanes: i32,
  patterns: usize,
  texts: usize,
  count: i32,
  gap: i32,
  column: usize,
  out: usize,
): void {
  const gaps = v128.splat<T>(<T>gap);
  const size = (<usize>rows) << 4;
  const zero = v128.splat<T>(0);
  for (let t = 0; t < count; t++) {
    let boundary = zero;
    for (let i: usize = 0; i < size; i += 16) {
      boundary = v128.add<T>(boundary, gaps);
      v128.store(column + i, boundary);
    }
    let text = <usize>load<u32>(texts);
    const n = load<i32>(texts, 4);
    const end = text + <usize>n;
    let above = zero;
    while (text + 2 <= end) {
      const first = table + <usize>load<u8>(text) * size;
      const second = table + <usize>load<u8>(text, 1) * size;
      let corner0 = above;
      let up0 = v128.add<T>(above, gaps);
      let corner1 = up0;
      let up1 = v128.add<T>(up0, gaps);
      above = up1;
      for (let i: usize = 0; i < size; i += 16) {
        const old = v128.load(column + i);
        up0 = v128.min<T>(
          v128.add<T>(corner0, v128.load(first + i)),
          v128.add<T>(v128.min<T>(old, up0), gaps),
        );
        corner0 = old;
        up1 = v128.min<T>(
          v128.add<T>(corner1, v128.load(second + i)),
          v128.add<T>(v128.min<T>(up0, up1), gaps),
        );
        corner1 = up0;
        v128.store(column + i, up1);
      }
      text += 2;
    }
    if (text < end) {
      const row = table + <usize>load<u8>(text) * size;
      let corner = above;
      let up = v128.add<T>(above, gaps);
      for (let i: usize = 0; i < size; i += 16) {
        const old = v128.load(column + i);
        up = v128.min<T>(v128.add<T>(corner, v128.load(row + i)), v128.add<T>(v128.min<T>(old, up), gaps));
        corner = old;
        v128.store(column + i, up);
      }
    }
    for (let lane = 0; lane < lanes; lane++) {
      const m = load<u32>(patterns + ((<usize>lane) << 3), 4);
      const at = column + ((<usize>m - 1) << 4) + <usize>lane * sizeof<T>();
      store<i32>(out + ((<usize>lane) << 2), m ? <i32>load<T>(at) : n * gap);
    }
    texts += 8;
    out += (<usize>lanes) << 2;
  }
}

/** {@link weigh} in 16-bit lanes. */
export function weigh16(
  table: usize,
  rows: i32,
  lanes: i32,
  patterns: usize,
  texts: usize,
  count: i32,
  gap: i32,
  column: usize,
  out: usize,
): void {
  weigh<u16>(table, rows, lanes, patterns, texts, count, gap, column, out);
}

/** {@link weigh} in 32-bit lanes. */
export function weigh32(
  table: usize,
  rows: i32,
  lanes: i32,
  patterns: usize,
  texts: usize,
  count: i32,
  gap: i32,
  column: usize,
  out: usize,
): void {
  weigh<u32>(table, rows, lanes, patterns, texts, count, gap, column, out);
}

/** One pair, one cell at a time; `column` has room for m u32. */
export function weighPair(
  pattern: usize,
  m: i32,
  text: usize,
  n: i32,
  costs: usize,
  gap: i32,
  column: usize,
): i32 {
  for (let i = 0; i < m; i++) store<i32>(column + ((<usize>i) << 2), (i + 1) * gap);
  for (let j = 0; j < n; j++) {
    const row = costs + ((<usize>load<u8>(text + <usize>j)) << 5);
    let corner = j * gap;
    let up = corner + gap;
    for (let i = 0; i < m; i++) {
      const at = column + ((<usize>i) << 2);
      const old = load<i32>(at);
      up = min(corner + <i32>load<u8>(row + <usize>load<u8>(pattern + <usize>i)), min(old, up) + gap);
      corner = old;
      store<i32>(at, up);
    }
  }
  return m ? load<i32>(column + ((<usize>m - 1) << 2)) : n * gap;
}
