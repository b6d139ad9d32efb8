/**
 * @file Blocks of memory that threads pass to each other: a heap in one growing shared buffer.
 *
 * A thread that has made something of a size nobody knew before puts it here, and another takes it out. Blocks are
 * powers of two; those given back are kept in a list for each size and used again. A lock, held for a few instructions,
 * guards the lists.
 */
import { EmbranchError } from "../error.ts";

/** What threads are told of a heap. */
export interface SharedHeapState {
  memory: SharedArrayBuffer;
  /** The lock, the end of what is in use, and the first free block of each size, all in units; 0 where there is none. */
  control: Int32Array;
}

/** Bytes of a unit, the smallest block. */
const UNIT = 64;
const FIRST_SIZE = UNIT * 1024;
/** What the buffer may grow to; addresses are kept for it, memory is not. */
const MOST = 2 ** 32;
const LOCK = 0;
const END = 1;
const FREE = 2;
const SIZES = 32;

export class SharedHeap {
  readonly state: SharedHeapState;

  /** The heap that another thread has made, or a new one. */
  constructor(state: SharedHeapState = newHeap()) {
    this.state = state;
  }

  /** The number of a block of at least `bytes` bytes. */
  allocate(bytes: number): number {
    const { control, memory } = this.state;
    const size = sizeOf(bytes);
    this.#lock();
    try {
      const free = control[FREE + size];
      if (free !== 0) {
        control[FREE + size] = new Int32Array(memory, free * UNIT, 1)[0];
        return free;
      }
      const block = control[END];
      const end = block + 2 ** size;
      if (end * UNIT > memory.byteLength) {
        if (end * UNIT > MOST)
          throw new EmbranchError(`shared heap: needs at most 4 GiB, got ${end * UNIT} bytes`);
        memory.grow(Math.min(MOST, Math.max(end * UNIT, 2 * memory.byteLength)));
      }
      control[END] = end;
      return block;
    } finally {
      this.#unlock();
    }
  }

  /** The number of a new block that holds these bytes. */
  put(bytes: Uint8Array): number {
    const block = this.allocate(bytes.length);
    this.bytes(block, bytes.length).set(bytes);
    return block;
  }

  /** Gives a block back that was allocated for `bytes` bytes. */
  release(block: number, bytes: number): void {
    const { control, memory } = this.state;
    const size = FREE + sizeOf(bytes);
    this.#lock();
    new Int32Array(memory, block * UNIT, 1)[0] = control[size];
    control[size] = block;
    this.#unlock();
  }

  /** The first `count` bytes of a block. */
  bytes(block: number, count: number): Uint8Array {
    return new Uint8Array(this.state.memory, block * UNIT, count);
  }

  /** The first `count` floats of a block. */
  floats(block: number, count: number): Float32Array {
    return new Float32Array(this.state.memory, block * UNIT, count);
  }

  #lock(): void {
    const { control } = this.state;
    while (Atomics.compareExchange(control, LOCK, 0, 1) !== 0) Atomics.wait(control, LOCK, 1, 1);
  }

  #unlock(): void {
    const { control } = this.state;
    Atomics.store(control, LOCK, 0);
    Atomics.notify(control, LOCK, 1);
  }
}

function newHeap(): SharedHeapState {
  const control = new Int32Array(new SharedArrayBuffer(4 * (FREE + SIZES)));
  // Unit 0 is no block.
  control[END] = 1;
  return { memory: new SharedArrayBuffer(FIRST_SIZE, { maxByteLength: MOST }), control };
}

/** Blocks of size s are 2^s units. */
function sizeOf(bytes: number): number {
  return Math.ceil(Math.log2(Math.max(1, Math.ceil(bytes / UNIT))));
}
