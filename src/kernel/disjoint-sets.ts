/**
 * @file Union-find, in its smallest form: an array in which every member of a set leads to the one that stands for it
 * (Tarjan, "Efficiency of a good but not linear set union algorithm", JACM 1975).
 */

/** Each of `count` things in a set of its own. */
export function singletons(count: number): Uint32Array {
  return Uint32Array.from({ length: count }, (_, i) => i);
}

/** The thing that stands for the set of a thing; halves the way there. */
export function rootOf(parent: Uint32Array, thing: number): number {
  let at = thing;
  while (parent[at] !== at) at = parent[at] = parent[parent[at]];
  return at;
}
