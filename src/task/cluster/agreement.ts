/**
 * @file How well two clusterings of the same things agree.
 */

/** Cluster numbers or names, one a thing. */
export type Labels = ArrayLike<number | string>;

/** Things of each pair of clusters, and of each cluster. */
interface Contingency {
  pairs: Map<string | number, Map<string | number, number>>;
  first: Map<string | number, number>;
  second: Map<string | number, number>;
}

function contingency(a: Labels, b: Labels): Contingency {
  if (a.length !== b.length) {
    throw new RangeError(`labels: must be equally many, got ${a.length} and ${b.length}`);
  }
  const found: Contingency = { pairs: new Map(), first: new Map(), second: new Map() };
  const count = <Key>(map: Map<Key, number>, key: Key) => map.set(key, (map.get(key) ?? 0) + 1);
  for (let i = 0; i < a.length; i++) {
    let row = found.pairs.get(a[i]);
    if (row === undefined) found.pairs.set(a[i], (row = new Map<string | number, number>()));
    count(row, b[i]);
    count(found.first, a[i]);
    count(found.second, b[i]);
  }
  return found;
}

const sum = (values: Iterable<number>): number => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};

/**
 * The adjusted Rand index: 1 for the same clusters, 0 on average for random ones of the same sizes (Hubert and
 * Arabie, "Comparing partitions", Journal of Classification 1985). Where both have one cluster only, or both none
 * of two things, it is 1.
 */
export function adjustedRand(a: Labels, b: Labels): number {
  const { pairs, first, second } = contingency(a, b);
  const choose = (count: number) => (count * (count - 1)) / 2;
  const within = (counts: Map<unknown, number>) => sum(Array.from(counts.values(), choose));
  const together = sum(Array.from(pairs.values(), within));
  const [inFirst, inSecond] = [within(first), within(second)];
  const expected = (inFirst * inSecond) / Math.max(1, choose(a.length));
  const most = (inFirst + inSecond) / 2;
  return most === expected ? 1 : (together - expected) / (most - expected);
}

/** The share of things that belong to the true cluster which most things of their found cluster belong to. */
export function majorityAccuracy(truth: Labels, found: Labels): number {
  const { pairs } = contingency(found, truth);
  let agreeing = 0;
  for (const row of pairs.values()) {
    let most = 0;
    for (const count of row.values()) most = Math.max(most, count);
    agreeing += most;
  }
  return truth.length === 0 ? 1 : agreeing / truth.length;
}

/**
 * The share of true clusters of which at least `share` lie in one found cluster that holds nothing else: the
 * accuracy A_γ of Rashtchian et al., "Clustering billions of reads for DNA data storage", NeurIPS 2017, γ above ½.
 */
export function recoveredClusters(truth: Labels, found: Labels, share: number): number {
  const { pairs, first, second } = contingency(truth, found);
  let recovered = 0;
  for (const [name, row] of pairs) {
    for (const [cluster, count] of row) {
      // Nothing else is in the found cluster when all of it is here.
      if (count === second.get(cluster) && count >= share * first.get(name)!) {
        recovered++;
        break;
      }
    }
  }
  return first.size === 0 ? 1 : recovered / first.size;
}
