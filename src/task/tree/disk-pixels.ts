/**
 * @file From the disk to SVG: pixels around its centre, and text.
 */

/** A point of the plane; the disk is its unit circle. */
export type Point = readonly [number, number];

/** Radius of the unit circle in pixels. */
export const RADIUS = 300;

/** A pixel coordinate with as many digits as are seen. */
function pixel(value: number): string {
  return String(Math.round(10 * RADIUS * value) / 10 + 0);
}

/** The pixel of a point, as path data has it; y points down there. */
export const at = ([x, y]: Point) => `${pixel(x)},${pixel(-y)}`;
