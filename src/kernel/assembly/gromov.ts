/**
 * @file The four-point condition at one base point p: δ_p(x, y) = max_z min((x|z)_p, (z|y)_p) − (x|y)_p for all x, y,
 * where (x|y)_p = ½(D_px + D_py − D_xy) is Gromov's product.
 *
 * The maximum of minima is a matrix product over (max, min). It is symmetric, so that only the part above the
 * diagonal is computed, by blocks of four rows and two vectors of columns whose eight results stay in registers while
 * z runs; the columns are packed first, to be read in order. 22 instructions make 64 results' steps of 16-bit numbers,
 * or 32 of floats. O(n³/2) for a base point, 2n² numbers of memory.
 *
 * All numbers are twice what the definition says, so that whole distances have whole products. They are 16-bit
 * integers where those suffice, three times the greatest distance being the greatest number, and else floats.
 *
 * Sources: Gromov, "Hyperbolic groups", 1987; Fournier, Ismail and Vigneron, "Computing the Gromov hyperbolicity of a
 * discrete metric space", Information Processing Letters 2015.
 */

function lesser<T>(a: v128, b: v128): v128 {
  if (isFloat<T>()) return v128.pmin<T>(a, b);
  return v128.min<T>(a, b);
}

function greater<T>(a: v128, b: v128): v128 {
  if (isFloat<T>()) return v128.pmax<T>(a, b);
  return v128.max<T>(a, b);
}

/** Rows of a block. */
const ROWS: i32 = 4;
/** Bytes of its columns: two vectors. */
const PANEL: usize = 32;

/** Twice the products of all pairs to `out`; returns the least of them, or 0. `room` is for a vector. */
function products<T>(distances: usize, stride: usize, count: i32, base: i32, room: usize, out: usize): T {
  const own = distances + <usize>base * stride;
  let least = v128.splat<T>(0);
  for (let x = 0; x < count; x++) {
    const row = distances + <usize>x * stride;
    const to = out + <usize>x * stride;
    const radius = v128.splat<T>(load<T>(own + <usize>x * sizeof<T>()));
    for (let at: usize = 0; at < stride; at += 16) {
      const product = v128.sub<T>(v128.add<T>(radius, v128.load(own + at)), v128.load(row + at));
      least = lesser<T>(product, least);
      v128.store(to + at, product);
    }
  }
  // Of columns beyond the last, whose distances are all 0, no product is below 0.
  v128.store(room, least);
  let found: T = 0;
  for (let at: usize = 0; at < 16; at += sizeof<T>()) found = min<T>(found, load<T>(room + at));
  return found;
}

/**
 * Twice δ_p of the pairs above the diagonal to `out`, of which other places hold anything; `panel` has room for `count`
 * times 32 bytes. Starting at (x|y)_p changes nothing: the maximum is no less, as z = x or z = y shows.
 */
function excesses<T>(a: usize, stride: usize, count: i32, panel: usize, out: usize): void {
  const size = sizeof<T>();
  const end = panel + <usize>count * PANEL;
  for (let column: usize = 0; column < stride; column += PANEL) {
    for (let at = panel, from = a + column; at < end; at += PANEL, from += stride) {
      v128.store(at, v128.load(from));
      v128.store(at, v128.load(from, 16), 16);
    }
    const last = min(count, <i32>((column + PANEL) / size));
    for (let x = 0; x < last; x += ROWS) {
      const x0 = a + <usize>x * stride;
      const x1 = x0 + stride;
      const x2 = x1 + stride;
      const x3 = x2 + stride;
      let a0 = v128.load(x0 + column);
      let b0 = v128.load(x0 + column, 16);
      let a1 = v128.load(x1 + column);
      let b1 = v128.load(x1 + column, 16);
      let a2 = v128.load(x2 + column);
      let b2 = v128.load(x2 + column, 16);
      let a3 = v128.load(x3 + column);
      let b3 = v128.load(x3 + column, 16);
      for (let at = panel, z: usize = 0; at < end; at += PANEL, z += size) {
        const p = v128.load(at);
        const q = v128.load(at, 16);
        const s0 = v128.load_splat<T>(x0 + z);
        a0 = greater<T>(a0, lesser<T>(s0, p));
        b0 = greater<T>(b0, lesser<T>(s0, q));
        const s1 = v128.load_splat<T>(x1 + z);
        a1 = greater<T>(a1, lesser<T>(s1, p));
        b1 = greater<T>(b1, lesser<T>(s1, q));
        const s2 = v128.load_splat<T>(x2 + z);
        a2 = greater<T>(a2, lesser<T>(s2, p));
        b2 = greater<T>(b2, lesser<T>(s2, q));
        const s3 = v128.load_splat<T>(x3 + z);
        a3 = greater<T>(a3, lesser<T>(s3, p));
        b3 = greater<T>(b3, lesser<T>(s3, q));
      }
      const to = out + <usize>x * stride + column;
      v128.store(to, v128.sub<T>(a0, v128.load(x0 + column)));
      v128.store(to, v128.sub<T>(b0, v128.load(x0 + column, 16)), 16);
      v128.store(to + stride, v128.sub<T>(a1, v128.load(x1 + column)));
      v128.store(to + stride, v128.sub<T>(b1, v128.load(x1 + column, 16)), 16);
      v128.store(to + 2 * stride, v128.sub<T>(a2, v128.load(x2 + column)));
      v128.store(to + 2 * stride, v128.sub<T>(b2, v128.load(x2 + column, 16)), 16);
      v128.store(to + 3 * stride, v128.sub<T>(a3, v128.load(x3 + column)));
      v128.store(to + 3 * stride, v128.sub<T>(b3, v128.load(x3 + column, 16)), 16);
    }
  }
}

let most: f64 = 0;
let total: f64 = 0;

/** Counts the numbers from `from` to `to` of a row. */
function tally<T>(row: usize, from: i32, to: i32, scale: f32, bins: i32, counts: usize): void {
  let sum: f64 = 0;
  let great: T = 0;
  for (let y = from; y < to; y++) {
    const value = load<T>(row + <usize>y * sizeof<T>());
    great = max<T>(great, value);
    sum += <f64>value;
    const bin = counts + ((<usize>min(bins - 1, <i32>(<f32>value * scale + 0.5))) << 2);
    store<u32>(bin, load<u32>(bin) + 1);
  }
  most = max<f64>(most, <f64>great);
  total += sum;
}

/** All of base point `base`: see {@link gromov16}. */
function gromov<T>(
  distances: usize,
  stride: usize,
  count: i32,
  base: i32,
  a: usize,
  panel: usize,
  out: usize,
  scale: f32,
  bins: i32,
  counts: usize,
  totals: usize,
): void {
  const least = products<T>(distances, stride, count, base, panel, a);
  excesses<T>(a, stride, count, panel, out);
  most = 0;
  total = 0;
  for (let x = 0; x < count; x++) {
    if (x == base) continue;
    const row = out + <usize>x * stride;
    if (base > x) {
      tally<T>(row, x + 1, base, scale, bins, counts);
      tally<T>(row, base + 1, count, scale, bins, counts);
    } else {
      tally<T>(row, x + 1, count, scale, bins, counts);
    }
  }
  store<f64>(totals, most);
  store<f64>(totals, total, 8);
  store<f64>(totals, <f64>least, 16);
}

/**
 * Twice δ_p(x, y) of all pairs x < y but those with the base point. `distances` is square, [count][stride bytes], its
 * rows padded with zeros to whole panels of 32 bytes; `a` and `out` have room for as many rows, up to a multiple of
 * four, and `panel` for `count` panels. Adds one to the bin of each, which is its product with `scale`, rounded, or the
 * last of the `bins`; `totals` [3] f64 are their greatest, their sum, and twice the least of Gromov's products.
 */
export function gromov16(
  distances: usize,
  stride: usize,
  count: i32,
  base: i32,
  a: usize,
  panel: usize,
  out: usize,
  scale: f32,
  bins: i32,
  counts: usize,
  totals: usize,
): void {
  gromov<i16>(distances, stride, count, base, a, panel, out, scale, bins, counts, totals);
}

/** {@link gromov16} of floats. */
export function gromov32(
  distances: usize,
  stride: usize,
  count: i32,
  base: i32,
  a: usize,
  panel: usize,
  out: usize,
  scale: f32,
  bins: i32,
  counts: usize,
  totals: usize,
): void {
  gromov<f32>(distances, stride, count, base, a, panel, out, scale, bins, counts, totals);
}
