/**
 * @file Names at the ends of lines, pushed apart where lines end close together.
 */

/** Height of a name in pixels, with a little room about it. */
const LABEL = 16;

/** What a name takes of an axis that spans `range` over `height` pixels. */
export function labelGap(range: number, height: number): number {
  return (LABEL / height) * range;
}

/** The places with their `key` raised so that no two are nearer than `gap`. */
export function pushedApart<Key extends string, Place extends Record<Key, number>>(
  places: readonly Place[],
  key: Key,
  gap: number,
): Place[] {
  const apart: Place[] = [];
  for (const place of places.toSorted((a, b) => a[key] - b[key])) {
    const below = apart.at(-1)?.[key] ?? -Infinity;
    apart.push({ ...place, [key]: Math.max(place[key], below + gap) });
  }
  return apart;
}
