/**
 * @file A queue of pairs by distance: a binary heap in typed arrays, as millions of neighbours are too many objects.
 *
 * Pairs of one distance come in the order of their numbers, so that what is built on it is reproducible.
 */

/** A pair of clusters and how far they are apart. */
export interface PairDistance {
  distance: number;
  left: number;
  right: number;
}

/** Pairs, the nearest first. */
export class PairHeap {
  #distance = new Float64Array(1024);
  #left = new Uint32Array(1024);
  #right = new Uint32Array(1024);
  size = 0;

  push(distance: number, left: number, right: number): void {
    if (this.size === this.#distance.length) this.#grow();
    let at = this.size++;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!this.#before(distance, left, right, up)) break;
      this.#move(up, at);
      at = up;
    }
    this.#set(at, distance, left, right);
  }

  /** Takes the nearest pair away; undefined where there is none. */
  pop(): PairDistance | undefined {
    if (this.size === 0) return undefined;
    const top = { distance: this.#distance[0], left: this.#left[0], right: this.#right[0] };
    const last = --this.size;
    const [distance, left, right] = [this.#distance[last], this.#left[last], this.#right[last]];
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= last) break;
      const [d, l, r] = [this.#distance[child], this.#left[child], this.#right[child]];
      if (child + 1 < last && !this.#before(d, l, r, child + 1)) child++;
      if (this.#before(distance, left, right, child)) break;
      this.#move(child, at);
      at = child;
    }
    if (last > 0) this.#set(at, distance, left, right);
    return top;
  }

  /** Whether a pair comes before the one at a place. */
  #before(distance: number, left: number, right: number, place: number): boolean {
    const other = this.#distance[place];
    if (distance !== other) return distance < other;
    const first = this.#left[place];
    return left !== first ? left < first : right < this.#right[place];
  }

  #move(from: number, to: number): void {
    this.#set(to, this.#distance[from], this.#left[from], this.#right[from]);
  }

  #set(at: number, distance: number, left: number, right: number): void {
    this.#distance[at] = distance;
    this.#left[at] = left;
    this.#right[at] = right;
  }

  #grow(): void {
    const wider = <Numbers extends Float64Array | Uint32Array>(old: Numbers): Numbers => {
      const grown = new (old.constructor as new (length: number) => Numbers)(2 * old.length);
      grown.set(old);
      return grown;
    };
    this.#distance = wider(this.#distance);
    this.#left = wider(this.#left);
    this.#right = wider(this.#right);
  }
}
