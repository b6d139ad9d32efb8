/**
 * @file Counter-based random numbers: Philox4x32-10.
 *
 * Every draw is a pure function of (key, counter), so a stream can be forked by name, resumed from a single
 * number, and gives the same values on every machine, thread and browser. Nothing here is global: a seed is
 * always passed in.
 *
 * Source: Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the 64-bit product of two unsigned 32-bit integers. */
function mulHigh(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const carry = (middle & 0xffff) + aLow * bHigh;
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + (carry >>> 16)) >>> 0;
}

/** The Philox4x32-10 bijection: `counter` [4] and `key` [2] of uint32 to four uint32, written to `out`. */
export function philox4x32(counter: ArrayLike<number>, key: ArrayLike<number>, out: Uint32Array): void {
  let c0 = counter[0] >>> 0;
  let c1 = counter[1] >>> 0;
  let c2 = counter[2] >>> 0;
  let c3 = counter[3] >>> 0;
  let k0 = key[0] >>> 0;
  let k1 = key[1] >>> 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/** FNV-1a over UTF-16 units: turns a stream's name into a number that is mixed into its key. */
function hashLabel(label: string | number): number {
  const text = typeof label === "number" ? `#${label}` : label;
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * A stream of random numbers.
 *
 * `new Random(seed)` and `random.fork("labels", 7)` are reproducible; forks with different labels are
 * independent of each other and of how many numbers their parent has drawn.
 */
export class Random {
  readonly #key = new Uint32Array(2);
  readonly #counter = new Uint32Array(4);
  readonly #block = new Uint32Array(4);
  /** Numbers drawn so far; set it to resume a stream. */
  #drawn = 0;

  constructor(seed: number | readonly [number, number]) {
    if (typeof seed === "number") {
      if (!Number.isSafeInteger(seed)) throw new RangeError(`seed: must be a safe integer, got ${seed}`);
      this.#key[0] = seed >>> 0;
      this.#key[1] = Math.floor(seed / 0x100000000) >>> 0;
    } else {
      this.#key.set(seed);
    }
  }

  /** An independent stream named by `labels`. */
  fork(...labels: (string | number)[]): Random {
    const key = Uint32Array.from(this.#key);
    const mixed = new Uint32Array(4);
    for (const label of labels) {
      philox4x32([hashLabel(label), 0x656d6272, 0x616e6368, 0xffffffff], key, mixed);
      key[0] = mixed[0];
      key[1] = mixed[1];
    }
    return new Random([key[0], key[1]]);
  }

  /** How many 32-bit numbers have been drawn: all the state there is beside the seed. */
  get position(): number {
    return this.#drawn;
  }

  set position(drawn: number) {
    this.#drawn = drawn;
    if (drawn % 4 !== 0) this.#refill(Math.floor(drawn / 4));
  }

  #refill(block: number): void {
    this.#counter[0] = block >>> 0;
    this.#counter[1] = Math.floor(block / 0x100000000) >>> 0;
    philox4x32(this.#counter, this.#key, this.#block);
  }

  /** Uniform on 0 … 2³² − 1. */
  uint32(): number {
    const lane = this.#drawn & 3;
    if (lane === 0) this.#refill(Math.floor(this.#drawn / 4));
    this.#drawn++;
    return this.#block[lane];
  }

  /** Uniform on [0, 1), with 32 bits. */
  uniform(): number {
    return this.uint32() / 0x100000000;
  }

  /** Uniform on [0, 1), with 53 bits: for bounds beyond 2³². */
  uniform53(): number {
    const high = this.uint32() >>> 5;
    return (high * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** Uniform on 0 … `bound` − 1, without bias (Lemire 2019); `bound` ≤ 2³². */
  integer(bound: number): number {
    if (!(bound >= 1 && bound <= 0x100000000) || !Number.isInteger(bound)) {
      throw new RangeError(`bound: must be an integer from 1 to 2^32, got ${bound}`);
    }
    if (bound === 0x100000000) return this.uint32();
    const threshold = (0x100000000 % bound) >>> 0;
    for (;;) {
      const x = this.uint32();
      if (Math.imul(x, bound) >>> 0 >= threshold) return mulHigh(x, bound);
    }
  }

  /** Standard normal (Box–Muller; two numbers a draw, so that the position stays simple). */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log1p(-this.uniform()));
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Exponential with the given rate. */
  exponential(rate = 1): number {
    return -Math.log1p(-this.uniform()) / rate;
  }

  /** Geometric on 1, 2, …: the number of trials up to the first success of probability `p`. */
  geometric(p: number): number {
    if (!(p > 0 && p <= 1)) throw new RangeError(`p: must be in (0, 1], got ${p}`);
    if (p === 1) return 1;
    return 1 + Math.floor(Math.log1p(-this.uniform()) / Math.log1p(-p));
  }

  /** Shuffles `items` in place (Fisher–Yates) and returns it. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swap = items[i];
      items[i] = items[j];
      items[j] = swap;
    }
    return items;
  }

  /** `count` distinct integers below `bound`, in random order. */
  sample(bound: number, count: number): Uint32Array {
    if (count > bound) throw new RangeError(`count: must be at most ${bound}, got ${count}`);
    const moved = new Map<number, number>();
    const out = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const j = i + this.integer(bound - i);
      out[i] = moved.get(j) ?? j;
      moved.set(j, moved.get(i) ?? i);
    }
    return out;
  }
}
