/**
 * @file Neighbour joining and BIONJ, exact, with lazy bounds instead of a search through all pairs at every join.
 *
 * Of r clusters, those two are joined that have the least Q / (r - 2) = d(i,j) - u(i) - u(j), where u is a cluster's
 * sum of distances over r - 2. Every cluster i keeps a lower bound of d(i,j) - u(j) over the clusters j that stand
 * after it. Once the bound was the least value itself, found by going through the row. From join to join it falls by
 * the most that any u has risen, which is little: of the order of a distance over r. Only a row whose bound, less
 * u(i), is below the best pair found so far is gone through again: of the distances of sequences some fifteen rows a
 * join, whether n is 1,000 or 5,000. RapidNJ bounds the search by sorted rows instead, which take memory of their own.
 * O(n^3) at worst, with a small constant (two pairs to an instruction); O(n^2) as observed.
 *
 * The matrix is the upper triangle, condensed in SciPy's order, in 64-bit floats: a cluster's place is a row and a
 * column of it, rows are contiguous, and the distances that a search reads stand in rows. Places
 * `first`...`count` - 1 are alive. The new cluster takes the place of one of the two that it joins, the cluster at
 * `first` that of the other, so that there are no gaps.
 *
 * Of pairs with one Q the search takes the first that it meets: rows in the order of their places, after the one with
 * the least bound. So a tree depends on the order of the taxa, where there are ties, but on nothing else. Bounds are
 * rounded as all else is: the joined pair's Q is the least to about 12 digits.
 *
 * Sources: Saitou and Nei, "The neighbor-joining method", 1987; Studier and Keppler, "A note on the neighbor-joining
 * algorithm of Saitou and Nei", 1988; Simonsen, Mailund and Pedersen, "Rapid neighbour-joining", WABI 2008; Clausen,
 * "Scaling neighbor joining to one million taxa with dynamic and heuristic neighbor joining", 2023; Gascuel, "BIONJ:
 * an improved version of the NJ algorithm based on a simple model of sequence data", 1997.
 */

let distances: usize = 0;
/** Variances of the distances, laid out as they are; 0 for plain neighbour joining. */
let variances: usize = 0;
/** Places, and the first of them that is alive. */
let places: i32 = 0;
let first: i32 = 0;
/** [places] f64: sums of distances; u; lower bounds. */
let sums: usize = 0;
let shares: usize = 0;
let bounds: usize = 0;
/** [places] f64: distances of the two clusters to be joined; the second becomes that of the new cluster. */
let one: usize = 0;
let other: usize = 0;
/** [places] i32: number of the node at each place. */
let nodes: usize = 0;
let nextNode: i32 = 0;

/** The best pair's Q and row, and the most that any u has risen. */
let best: f64 = 0;
let bestRow: i32 = 0;
let rise: f64 = 0;

function get(values: usize, place: i32): f64 {
  return load<f64>(values + ((<usize>place) << 3));
}

function set(values: usize, place: i32, value: f64): void {
  store<f64>(values + ((<usize>place) << 3), value);
}

/** Where a row would have its element 0; it starts at element `place` + 1. */
function rowOf(triangle: usize, place: i32): usize {
  const before = <usize>place * <usize>places - ((<usize>place * (<usize>place + 3)) >> 1) - 1;
  return triangle + (before << 3);
}

/** Greater of the lanes. */
function highest(v: v128): f64 {
  return max(f64x2.extract_lane(v, 0), f64x2.extract_lane(v, 1));
}

/** Smaller of the lanes. */
function lowest(v: v128): f64 {
  return min(f64x2.extract_lane(v, 0), f64x2.extract_lane(v, 1));
}

/**
 * Starts with the `count` taxa whose distances stand at `condensed`; `copy` is their copy for BIONJ, or 0. `room`
 * is 44 bytes a taxon. Returns whether no distance is negative and all sums are finite.
 */
export function beginJoining(condensed: usize, copy: usize, count: i32, room: usize): bool {
  const bytes = (<usize>count) << 3;
  distances = condensed;
  variances = copy;
  places = count;
  first = 0;
  sums = room;
  shares = sums + bytes;
  bounds = shares + bytes;
  one = bounds + bytes;
  other = one + bytes;
  nodes = other + bytes;
  nextNode = count;
  memory.fill(sums, 0, bytes);
  let least = f64x2.splat(0);
  for (let i = 0; i < count; i++) {
    const row = rowOf(distances, i);
    let sum = f64x2.splat(0);
    let j = i + 1;
    for (; j + 2 <= count; j += 2) {
      const at = (<usize>j) << 3;
      const d = v128.load(row + at);
      least = f64x2.pmin(least, d);
      sum = f64x2.add(sum, d);
      v128.store(sums + at, f64x2.add(v128.load(sums + at), d));
    }
    let rest: f64 = 0;
    if (j < count) {
      rest = get(row, j);
      least = f64x2.pmin(least, f64x2.splat(rest));
      set(sums, j, get(sums, j) + rest);
    }
    set(sums, i, get(sums, i) + (f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1) + rest));
  }
  let total: f64 = 0;
  for (let i = 0; i < count; i++) {
    total += get(sums, i);
    set(shares, i, get(sums, i) / <f64>(count - 2));
    set(bounds, i, i == count - 1 ? Infinity : -Infinity);
    store<i32>(nodes + ((<usize>i) << 2), i);
  }
  return lowest(least) == 0 && total < Infinity;
}

/** Least of values[j] - u(j) over the places from `from` on; infinity for none. */
function leastFrom(values: usize, from: i32): f64 {
  let a = f64x2.splat(Infinity);
  let b = a;
  let c = a;
  let d = a;
  let at = values + ((<usize>from) << 3);
  let share = shares + ((<usize>from) << 3);
  const end = values + ((<usize>places) << 3);
  for (; at + 64 <= end; at += 64) {
    a = f64x2.pmin(a, f64x2.sub(v128.load(at), v128.load(share)));
    b = f64x2.pmin(b, f64x2.sub(v128.load(at, 16), v128.load(share, 16)));
    c = f64x2.pmin(c, f64x2.sub(v128.load(at, 32), v128.load(share, 32)));
    d = f64x2.pmin(d, f64x2.sub(v128.load(at, 48), v128.load(share, 48)));
    share += 64;
  }
  let least = lowest(f64x2.pmin(f64x2.pmin(a, b), f64x2.pmin(c, d)));
  for (; at < end; at += 8) {
    least = min(least, load<f64>(at) - load<f64>(share));
    share += 8;
  }
  return least;
}

/** Goes through a row. */
function scan(place: i32): void {
  const least = leastFrom(rowOf(distances, place), place + 1);
  set(bounds, place, least);
  const q = least - get(shares, place);
  if (q < best) {
    best = q;
    bestRow = place;
  }
}

/** The first place from `from` on whose bound, less its u, is below `limit`; `places` for none. */
function firstBelow(from: i32, limit: f64): i32 {
  const bar = f64x2.splat(limit);
  let k = from;
  for (; k + 4 <= places; k += 4) {
    const at = (<usize>k) << 3;
    const low = f64x2.lt(f64x2.sub(v128.load(bounds + at), v128.load(shares + at)), bar);
    const high = f64x2.lt(f64x2.sub(v128.load(bounds + at, 16), v128.load(shares + at, 16)), bar);
    if (v128.any_true(v128.or(low, high))) break;
  }
  while (k < places && !(get(bounds, k) - get(shares, k) < limit)) k++;
  return k;
}

/** Finds the row with the least Q. */
function search(): void {
  best = Infinity;
  // The row with the least bound most often has the best pair.
  const least = leastFrom(bounds, first);
  let k = first;
  while (get(bounds, k) - get(shares, k) > least) k++;
  scan(k);
  k = firstBelow(first, best);
  while (k < places) {
    scan(k);
    k = firstBelow(k + 1, best);
  }
}

/** Copies the distances of the cluster at `place` to all others to `values`. */
function collect(triangle: usize, place: i32, values: usize): void {
  let at = rowOf(triangle, first) + ((<usize>place) << 3);
  let step = (<usize>(places - first - 2)) << 3;
  for (let k = first; k < place; k++) {
    set(values, k, load<f64>(at));
    at += step;
    step -= 8;
  }
  const after = (<usize>(place + 1)) << 3;
  memory.copy(values + after, rowOf(triangle, place) + after, ((<usize>places) << 3) - after);
}

/** Writes the distances of the cluster at `place` to all others. */
function spread(triangle: usize, place: i32, values: usize): void {
  let at = rowOf(triangle, first) + ((<usize>place) << 3);
  let step = (<usize>(places - first - 2)) << 3;
  for (let k = first; k < place; k++) {
    store<f64>(at, get(values, k));
    at += step;
    step -= 8;
  }
  const after = (<usize>(place + 1)) << 3;
  memory.copy(rowOf(triangle, place) + after, values + after, ((<usize>places) << 3) - after);
}

/** other = weight one + (1 - weight) other - cut, from place `from` to before `to`. */
function blend(weight: f64, cut: f64, from: i32, to: i32): void {
  const rest = 1 - weight;
  const weights = f64x2.splat(weight);
  const rests = f64x2.splat(rest);
  const cuts = f64x2.splat(cut);
  let k = from;
  for (; k + 2 <= to; k += 2) {
    const at = (<usize>k) << 3;
    const x = f64x2.mul(weights, v128.load(one + at));
    const y = f64x2.mul(rests, v128.load(other + at));
    v128.store(other + at, f64x2.sub(f64x2.add(x, y), cuts));
  }
  if (k < to) set(other, k, weight * get(one, k) + rest * get(other, k) - cut);
}

/**
 * As `blend`, and brings sums and shares of these places up to date, when `left` + 2 clusters will remain; returns the
 * sum of the new distances.
 */
function reduce(weight: f64, cut: f64, left: f64, from: i32, to: i32): f64 {
  const rest = 1 - weight;
  const weights = f64x2.splat(weight);
  const rests = f64x2.splat(rest);
  const cuts = f64x2.splat(cut);
  const lefts = f64x2.splat(left);
  let risen = f64x2.splat(rise);
  let totals = f64x2.splat(0);
  let k = from;
  for (; k + 2 <= to; k += 2) {
    const at = (<usize>k) << 3;
    const x = v128.load(one + at);
    const y = v128.load(other + at);
    const d = f64x2.sub(f64x2.add(f64x2.mul(weights, x), f64x2.mul(rests, y)), cuts);
    const sum = f64x2.add(f64x2.sub(f64x2.sub(v128.load(sums + at), x), y), d);
    const share = f64x2.div(sum, lefts);
    risen = f64x2.pmax(risen, f64x2.sub(share, v128.load(shares + at)));
    totals = f64x2.add(totals, d);
    v128.store(other + at, d);
    v128.store(sums + at, sum);
    v128.store(shares + at, share);
  }
  rise = highest(risen);
  let total = f64x2.extract_lane(totals, 0) + f64x2.extract_lane(totals, 1);
  if (k < to) {
    const x = get(one, k);
    const y = get(other, k);
    const d = weight * x + rest * y - cut;
    const sum = get(sums, k) - x - y + d;
    const share = sum / left;
    rise = max(rise, share - get(shares, k));
    total += d;
    set(other, k, d);
    set(sums, k, sum);
    set(shares, k, share);
  }
  return total;
}

/** Takes the rise off the bounds from place `from` on. */
function lowerBounds(from: i32): void {
  const rises = f64x2.splat(rise);
  let k = from;
  for (; k + 2 <= places; k += 2) {
    const at = (<usize>k) << 3;
    v128.store(bounds + at, f64x2.sub(v128.load(bounds + at), rises));
  }
  if (k < places) set(bounds, k, get(bounds, k) - rise);
}

/** Lets the rows before `place` know of a cluster that is new there. */
function announce(place: i32, values: usize): void {
  const share = get(shares, place);
  const splat = f64x2.splat(share);
  let k = first;
  for (; k + 2 <= place; k += 2) {
    const at = (<usize>k) << 3;
    v128.store(bounds + at, f64x2.pmin(v128.load(bounds + at), f64x2.sub(v128.load(values + at), splat)));
  }
  if (k < place) set(bounds, k, min(get(bounds, k), get(values, k) - share));
}

/** Weight of the cluster at `a` in the new one, which gives its distances the least variance. */
function weightOf(a: i32, b: i32, left: f64): f64 {
  const v = get(rowOf(variances, a), b);
  collect(variances, a, one);
  collect(variances, b, other);
  let sum: f64 = 0;
  for (let k = first; k < places; k++) if (k != a && k != b) sum += get(other, k) - get(one, k);
  // Where the two do not differ, neither is better known than the other.
  return v > 0 ? max(0, min(1, 0.5 + sum / (2 * left * v))) : 0.5;
}

/** Makes the new cluster's variances, in `other`. */
function blendVariances(a: i32, b: i32, weight: f64): void {
  const cut = weight * (1 - weight) * get(rowOf(variances, a), b);
  blend(weight, cut, first, a);
  blend(weight, cut, a + 1, b);
  blend(weight, cut, b + 1, places);
}

/** Writes the new cluster in `other` to the place of one of the two; where that is a, puts the first cluster at b. */
function settle(triangle: usize, a: i32, b: i32): void {
  if (a == first) {
    first++;
    spread(triangle, b, other);
    first--;
    return;
  }
  const moved = get(other, first);
  const start = (<usize>(first + 1)) << 3;
  memory.copy(one + start, rowOf(triangle, first) + start, ((<usize>places) << 3) - start);
  set(one, a, moved);
  set(other, b, moved);
  first++;
  spread(triangle, b, one);
  spread(triangle, a, other);
  first--;
}

/** Joins the best pair: writes the numbers of the two nodes (i32) and the lengths of their branches (f64). */
function join(children: usize, lengths: usize): void {
  search();
  const a = bestRow;
  const row = rowOf(distances, a);
  const least = get(bounds, a);
  let b = a + 1;
  while (get(row, b) - get(shares, b) > least) b++;
  const d = get(row, b);
  const lengthA = 0.5 * (d + (get(shares, a) - get(shares, b)));
  const lengthB = d - lengthA;
  store<i32>(children, load<i32>(nodes + ((<usize>a) << 2)));
  store<i32>(children, load<i32>(nodes + ((<usize>b) << 2)), 4);
  store<f64>(lengths, lengthA);
  store<f64>(lengths, lengthB, 8);

  const left = <f64>(places - first - 3);
  let weight: f64 = 0.5;
  let cut = 0.5 * d;
  if (variances) {
    weight = weightOf(a, b, left + 1);
    blendVariances(a, b, weight);
    settle(variances, a, b);
    cut = weight * lengthA + (1 - weight) * lengthB;
  }
  collect(distances, a, one);
  collect(distances, b, other);
  rise = -Infinity;
  let total = reduce(weight, cut, left, first, a);
  total += reduce(weight, cut, left, a + 1, b);
  total += reduce(weight, cut, left, b + 1, places);
  settle(distances, a, b);
  lowerBounds(first);
  const c = a == first ? b : a;
  set(sums, c, total);
  set(shares, c, total / left);
  store<i32>(nodes + ((<usize>c) << 2), nextNode++);
  if (a != first) {
    set(sums, b, get(sums, first));
    set(shares, b, get(shares, first));
    set(bounds, b, b == places - 1 ? Infinity : get(bounds, first));
    store<i32>(nodes + ((<usize>b) << 2), load<i32>(nodes + ((<usize>first) << 2)));
    first++;
    announce(b, one);
  } else {
    first++;
  }
  announce(c, other);
  set(bounds, c, leastFrom(other, c + 1));
}

/** Makes the next `count` joins; the pairs of node numbers go to `children`, of branch lengths to `lengths`. */
export function joinPairs(count: i32, children: usize, lengths: usize): void {
  for (let k = 0; k < count; k++) {
    join(children, lengths);
    children += 8;
    lengths += 16;
  }
}
