/**
 * @file The k nearest of a stream of things, each a whole number with a distance.
 */

/** Keeps the k with the smallest distances, the earlier of equals. */
export class Nearest {
  readonly #k: number;
  readonly #keys: number[] = [];
  readonly #distances: number[] = [];

  constructor(k: number) {
    this.#k = k;
  }

  /** What a distance must be below to be kept. */
  get worst(): number {
    return this.#keys.length < this.#k ? Infinity : this.#distances[this.#k - 1];
  }

  /** Adds one whose distance is below `worst`. */
  add(key: number, distance: number): void {
    const [keys, distances] = [this.#keys, this.#distances];
    let at = keys.length < this.#k ? keys.length : this.#k - 1;
    for (; at > 0 && distances[at - 1] > distance; at--) {
      keys[at] = keys[at - 1];
      distances[at] = distances[at - 1];
    }
    keys[at] = key;
    distances[at] = distance;
  }

  /** Nearest first. */
  keys(): number[] {
    return this.#keys;
  }

  /** Beside the keys. */
  distances(): number[] {
    return this.#distances;
  }
}
