/**
 * @file A dendrogram cut into flat clusters at a height.
 */

import type { Linkage } from "../../kernel/linkage.ts";

/**
 * For every thing of a linkage the number of its cluster, where all merges up to `height` are made and no other;
 * clusters are numbered from 0 in the order of their first things. O(n).
 */
export function cutLinkage({ left, right, heights }: Linkage, height: number): Uint32Array {
  const n = left.length + 1;
  // Walk down from the root: a cluster that stays whole hands its number to both of its parts.
  const root = new Int32Array(n + left.length).fill(-1);
  for (let node = n + left.length - 1; node >= n; node--) {
    if (heights[node - n] > height) continue;
    const top = root[node] < 0 ? node : root[node];
    root[left[node - n]] = top;
    root[right[node - n]] = top;
  }
  const numbers = new Map<number, number>();
  return Uint32Array.from({ length: n }, (_, thing) => {
    const top = root[thing] < 0 ? thing : root[thing];
    const number = numbers.get(top) ?? numbers.size;
    numbers.set(top, number);
    return number;
  });
}
