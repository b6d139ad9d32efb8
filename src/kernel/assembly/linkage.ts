/**
 * @file Agglomerative linkage of a distance matrix: nearest-neighbour chains, and Prim's algorithm for single linkage.
 *
 * The matrix is square, in 32-bit floats, its rows contiguous: a chain reads whole rows, four distances to an
 * instruction, and a merge writes one row and one column. A merged cluster takes the place of one of the two; the
 * place of the other is dead, which a penalty of infinity tells (`penalty` is added to a row when its least element
 * is looked for). When a share of the places is dead, the matrix is packed. O(n²) time.
 *
 * Sources: Murtagh, "A survey of recent advances in hierarchical clustering algorithms", 1983; Lance and Williams,
 * "A general theory of classificatory sorting strategies", 1967; Müllner, "Modern hierarchical, agglomerative
 * clustering algorithms", 2011.
 */

const COMPLETE: i32 = 0;
const AVERAGE: i32 = 1;
const WEIGHTED: i32 = 2;

/** Places of a row that are looked at together. */
const BLOCK: i32 = 32;

let matrix: usize = 0;
/** Bytes from one row to the next. */
let stride: usize = 0;
/** Places in use, and how many of them are alive. */
let places: i32 = 0;
let alive: i32 = 0;
let penalty: usize = 0;
let sizes: usize = 0;
/** A thing of the cluster at each place. */
let member: usize = 0;
/** Height at which the cluster at each place was made. */
let made: usize = 0;
let chain: usize = 0;
/** Room for the places alive, in order. */
let living: usize = 0;
let depth: i32 = 0;
let rule: i32 = 0;

function cell(row: i32, column: i32): usize {
  return matrix + <usize>row * stride + ((<usize>column) << 2);
}

/** Fills the lower triangle of a square matrix from the upper one, in blocks, and the diagonal with infinity. */
export function mirror(at: usize, rowBytes: usize, from: i32, to: i32): void {
  const tile = 64;
  for (let rows = from; rows < to; rows += tile) {
    const end = min(rows + tile, to);
    for (let columns = 0; columns < end; columns += tile) {
      const last = min(columns + tile, end);
      for (let i = rows; i < end; i++) {
        const row = at + <usize>i * rowBytes;
        const stop = min(last, i);
        for (let j = columns; j < stop; j++) {
          store<f32>(row + ((<usize>j) << 2), load<f32>(at + <usize>j * rowBytes + ((<usize>i) << 2)));
        }
      }
    }
    for (let i = rows; i < end; i++) store<f32>(at + <usize>i * rowBytes + ((<usize>i) << 2), f32(Infinity));
  }
}

/** Whether `count` floats are all finite and none of them is negative. */
export function areDistances(at: usize, count: i32): bool {
  // A difference with itself is 0 for finite numbers alone.
  let wrong = i32x4.splat(0);
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const d = v128.load(at + ((<usize>i) << 2));
    wrong = v128.or(wrong, v128.or(f32x4.ne(f32x4.sub(d, d), f32x4.splat(0)), f32x4.lt(d, f32x4.splat(0))));
  }
  let sound = !v128.any_true(wrong);
  for (; i < count; i++) {
    const d = load<f32>(at + ((<usize>i) << 2));
    if (d - d != 0 || d < 0) sound = false;
  }
  return sound;
}

/** Squares `count` floats. */
export function squareAll(at: usize, count: i32): void {
  for (let i = 0; i < count; i++) {
    const d = load<f32>(at + ((<usize>i) << 2));
    store<f32>(at + ((<usize>i) << 2), d * d);
  }
}

function least(v: v128): f32 {
  return min(
    min(f32x4.extract_lane(v, 0), f32x4.extract_lane(v, 1)),
    min(f32x4.extract_lane(v, 2), f32x4.extract_lane(v, 3)),
  );
}

/** The first place of a row, penalties added, that holds the least value below `bound`; -1 where none does. */
function nearest(row: usize, bound: f32): i32 {
  let best = bound;
  let found: i32 = -1;
  for (let j = 0; j < places; j += BLOCK) {
    const a = row + ((<usize>j) << 2);
    const b = penalty + ((<usize>j) << 2);
    const low = f32x4.min(
      f32x4.min(
        f32x4.min(f32x4.add(v128.load(a), v128.load(b)), f32x4.add(v128.load(a, 16), v128.load(b, 16))),
        f32x4.min(
          f32x4.add(v128.load(a, 32), v128.load(b, 32)),
          f32x4.add(v128.load(a, 48), v128.load(b, 48)),
        ),
      ),
      f32x4.min(
        f32x4.min(
          f32x4.add(v128.load(a, 64), v128.load(b, 64)),
          f32x4.add(v128.load(a, 80), v128.load(b, 80)),
        ),
        f32x4.min(
          f32x4.add(v128.load(a, 96), v128.load(b, 96)),
          f32x4.add(v128.load(a, 112), v128.load(b, 112)),
        ),
      ),
    );
    if (v128.any_true(f32x4.lt(low, f32x4.splat(best)))) {
      best = least(low);
      found = j;
    }
  }
  if (found < 0) return -1;
  while (load<f32>(row + ((<usize>found) << 2)) + load<f32>(penalty + ((<usize>found) << 2)) != best) found++;
  return found;
}

/**
 * Starts on a matrix of `count` things at `at`, whose rows are padded to whole blocks. The arrays have
 * room for a number for each padded place; `sizesAt` holds the clusters' sizes, zeros in the padding.
 */
export function beginChain(
  at: usize,
  rowBytes: usize,
  count: i32,
  method: i32,
  penalties: usize,
  sizesAt: usize,
  members: usize,
  heights: usize,
  chainAt: usize,
  livingAt: usize,
): void {
  matrix = at;
  stride = rowBytes;
  places = count;
  alive = count;
  rule = method;
  penalty = penalties;
  sizes = sizesAt;
  member = members;
  made = heights;
  chain = chainAt;
  living = livingAt;
  depth = 0;
  const padded = <i32>(rowBytes >> 2);
  for (let i = 0; i < padded; i++) {
    const offset = (<usize>i) << 2;
    store<f32>(penalty + offset, i < count ? 0 : f32(Infinity));
    store<i32>(member + offset, i);
    store<f32>(made + offset, 0);
  }
}

/** The row of the cluster that `kept` and `lost` make, in the place of `kept`. */
function join(kept: i32, lost: i32, between: f32): void {
  const a = cell(kept, 0);
  const b = cell(lost, 0);
  const m = load<f32>(sizes + ((<usize>kept) << 2));
  const n = load<f32>(sizes + ((<usize>lost) << 2));
  const end = (<usize>places) << 2;
  if (rule == COMPLETE) {
    for (let j: usize = 0; j < end; j += 16) v128.store(a + j, f32x4.max(v128.load(a + j), v128.load(b + j)));
  } else if (rule <= WEIGHTED) {
    const p = f32x4.splat(rule == AVERAGE ? m / (m + n) : 0.5);
    const q = f32x4.splat(rule == AVERAGE ? n / (m + n) : 0.5);
    for (let j: usize = 0; j < end; j += 16) {
      v128.store(a + j, f32x4.add(f32x4.mul(p, v128.load(a + j)), f32x4.mul(q, v128.load(b + j))));
    }
  } else {
    const p = f32x4.splat(m);
    const q = f32x4.splat(n);
    const d = f32x4.splat(between);
    for (let j: usize = 0; j < end; j += 16) {
      const s = v128.load(sizes + j);
      const sum = f32x4.sub(
        f32x4.add(f32x4.mul(f32x4.add(p, s), v128.load(a + j)), f32x4.mul(f32x4.add(q, s), v128.load(b + j))),
        f32x4.mul(s, d),
      );
      v128.store(a + j, f32x4.div(sum, f32x4.add(f32x4.add(p, q), s)));
    }
  }
  store<f32>(cell(kept, kept), f32(Infinity));
  store<f32>(sizes + ((<usize>kept) << 2), m + n);
  // A dead place that counts for nothing keeps the numbers in it from growing.
  store<f32>(sizes + ((<usize>lost) << 2), 0);
  store<f32>(penalty + ((<usize>lost) << 2), f32(Infinity));
  const column = matrix + ((<usize>kept) << 2);
  for (let j = 0; j < places; j++) {
    const offset = (<usize>j) << 2;
    if (load<f32>(penalty + offset) == 0) store<f32>(column + <usize>j * stride, load<f32>(a + offset));
  }
}

/** Drops the dead places; the rows stay as far from each other as they were. */
function pack(): void {
  let count = 0;
  for (let i = 0; i < places; i++) {
    if (load<f32>(penalty + ((<usize>i) << 2)) != 0) continue;
    store<i32>(living + ((<usize>count) << 2), i);
    count++;
  }
  for (let to = 0; to < count; to++) {
    const from = load<i32>(living + ((<usize>to) << 2));
    const source = cell(from, 0);
    let at = cell(to, 0);
    for (let i: usize = 0; i < (<usize>count) << 2; i += 4) {
      store<f32>(at, load<f32>(source + ((<usize>load<i32>(living + i)) << 2)));
      at += 4;
    }
    const a = (<usize>from) << 2;
    const b = (<usize>to) << 2;
    store<f32>(sizes + b, load<f32>(sizes + a));
    store<i32>(member + b, load<i32>(member + a));
    store<f32>(made + b, load<f32>(made + a));
  }
  for (let i = 0; i < depth; i++) {
    const at = chain + ((<usize>i) << 2);
    const place = load<i32>(at);
    let rank = 0;
    while (load<i32>(living + ((<usize>rank) << 2)) != place) rank++;
    store<i32>(at, rank);
  }
  for (let i = 0; i < places; i++) store<f32>(penalty + ((<usize>i) << 2), i < count ? 0 : f32(Infinity));
  places = count;
}

/** Makes `count` merges, or as many as are left: things of the two clusters to `left` and `right`, f32 to `heights`. */
export function chainMerges(count: i32, left: usize, right: usize, heights: usize): void {
  for (let merge = 0; merge < count && alive > 1;) {
    if (depth == 0) {
      let first = 0;
      while (load<f32>(penalty + ((<usize>first) << 2)) != 0) first++;
      store<i32>(chain, first);
      depth = 1;
    }
    const top = load<i32>(chain + ((<usize>(depth - 1)) << 2));
    // Of equally near ones the one before in the chain comes first: else ties would go round in circles.
    const before = depth > 1 ? load<i32>(chain + ((<usize>(depth - 2)) << 2)) : -1;
    const bound = before < 0 ? f32(Infinity) : load<f32>(cell(top, before));
    const next = nearest(cell(top, 0), bound);
    if (next >= 0) {
      store<i32>(chain + ((<usize>depth) << 2), next);
      depth++;
      continue;
    }
    depth -= 2;
    const kept = min(top, before);
    const lost = max(top, before);
    const a = (<usize>kept) << 2;
    const b = (<usize>lost) << 2;
    // Rounding must not put a cluster below those it is made of.
    const height = max(bound, max(load<f32>(made + a), load<f32>(made + b)));
    const out = (<usize>merge) << 2;
    store<i32>(left + out, load<i32>(member + a));
    store<i32>(right + out, load<i32>(member + b));
    store<f32>(heights + out, height);
    store<f32>(made + a, height);
    join(kept, lost, bound);
    alive--;
    merge++;
    if (alive < (places * 3) >> 2 && places > 64) pack();
  }
}

/** Where a thing is nearest to the tree that Prim's algorithm grows: f32 distance and i32 thing of the tree. */
let reach: usize = 0;
let origin: usize = 0;
let current: i32 = 0;

/** Starts Prim's algorithm from thing 0, on a matrix as `beginChain` gets it; two more arrays of padded places. */
export function beginSpanning(
  at: usize,
  rowBytes: usize,
  count: i32,
  penalties: usize,
  reachAt: usize,
  originAt: usize,
): void {
  matrix = at;
  stride = rowBytes;
  places = count;
  penalty = penalties;
  reach = reachAt;
  origin = originAt;
  current = 0;
  const padded = <i32>(rowBytes >> 2);
  for (let i = 0; i < padded; i++) {
    const offset = (<usize>i) << 2;
    store<f32>(penalty + offset, i < count ? 0 : f32(Infinity));
    store<f32>(reach + offset, f32(Infinity));
  }
  store<f32>(penalty, f32(Infinity));
}

/** The next `count` edges of the least spanning tree. */
export function spanningEdges(count: i32, left: usize, right: usize, heights: usize): void {
  const end = (<usize>places) << 2;
  for (let edge = 0; edge < count; edge++) {
    const row = cell(current, 0);
    const here = i32x4.splat(current);
    for (let j: usize = 0; j < end; j += 16) {
      const d = v128.load(row + j);
      const was = v128.load(reach + j);
      const nearer = f32x4.lt(d, was);
      v128.store(reach + j, v128.bitselect(d, was, nearer));
      v128.store(origin + j, v128.bitselect(here, v128.load(origin + j), nearer));
    }
    const next = nearest(reach, f32(Infinity));
    const out = (<usize>edge) << 2;
    store<i32>(left + out, load<i32>(origin + ((<usize>next) << 2)));
    store<i32>(right + out, next);
    store<f32>(heights + out, load<f32>(reach + ((<usize>next) << 2)));
    store<f32>(penalty + ((<usize>next) << 2), f32(Infinity));
    current = next;
  }
}
