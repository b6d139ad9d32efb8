/**
 * @file The one parameter that alignment-free distances are given: the factor that takes them to edits (SPEC A9).
 */

/**
 * The factor α for which Σ (α·p − y)² is least: Σ y·p / Σ p², with p `distances` and y `truth`; 0 where all
 * distances are 0.
 */
export function fitScale(truth: ArrayLike<number>, distances: ArrayLike<number>): number {
  let products = 0;
  let squares = 0;
  for (let i = 0; i < distances.length; i++) {
    products += truth[i] * distances[i];
    squares += distances[i] * distances[i];
  }
  return squares === 0 ? 0 : products / squares;
}
