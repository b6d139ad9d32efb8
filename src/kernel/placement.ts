/**
 * @file Sequences in the memory of one kernel instance.
 *
 * A set of moderate size is copied once for a whole request; of a larger one only the sequences of the tile at
 * hand, so that memory does not grow with threads times data.
 */
import { UsageError } from "../error.ts";
import type { Kernel } from "./instance.ts";
import { CODES, type PackedCodes } from "./packed.ts";

/** Largest set (bytes of codes) that every thread keeps a copy of. */
const RESIDENT = 32 * 2 ** 20;

/** The vector loads of the slicer read up to 16 bytes beyond a sequence. */
const SLACK = 16;

/** A set of sequences as one kernel sees it. */
export class Placement {
  private readonly kernel: Kernel;
  private readonly set: PackedCodes;
  private readonly resident: number | undefined;
  /** Every code is below this. */
  readonly codes: number = CODES;

  constructor(kernel: Kernel, set: PackedCodes) {
    this.kernel = kernel;
    this.set = set;
    const total = set.offsets[set.length];
    if (total <= RESIDENT) {
      this.resident = kernel.allocate(total + SLACK);
      kernel.bytes.set(set.codes.subarray(0, total), this.resident);
      this.codes = checkCodes(kernel, this.resident, total);
    }
  }

  /** Length of sequence i. */
  lengthOf(i: number): number {
    return this.set.offsets[i + 1] - this.set.offsets[i];
  }

  /** Writes the (address, length) entry of sequence i at `entry`, copying its codes where they are not there. */
  enter(i: number, entry: number): void {
    const start = this.set.offsets[i];
    const length = this.set.offsets[i + 1] - start;
    let address;
    if (this.resident === undefined) {
      address = this.kernel.allocate(length + SLACK);
      this.kernel.bytes.set(this.set.codes.subarray(start, start + length), address);
      checkCodes(this.kernel, address, length);
    } else {
      address = this.resident + start;
    }
    this.kernel.words[entry >> 2] = address;
    this.kernel.words[(entry >> 2) + 1] = length;
  }
}

/** Number of codes that tables need for the `length` codes at `address`; throws UsageError above {@link CODES}. */
export function checkCodes(kernel: Kernel, address: number, length: number): number {
  const greatest = kernel.exports.greatestCode(address, length);
  if (greatest >= CODES) throw new UsageError(`sequence codes: must be below ${CODES}, got ${greatest}`);
  return greatest + 1;
}
