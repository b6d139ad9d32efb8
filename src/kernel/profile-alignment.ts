/**
 * @file The best global alignment of two profiles, on one thread: sums of pairs of letters, and affine gaps.
 *
 * A column of the one against a column of the other is worth the mean score over all pairs of their sequences, where
 * a pair with a gap counts 0. A gap costs as many pairs as there are letters opposite it: `gapExtend` times their share
 * in every column, and half of `gapOpen` times their share where it begins and where it ends. Of two sequences this is
 * the alignment of Gotoh (1982) with affine gaps, exactly.
 *
 * Time and memory O(m n): of two sequences about 2 ns a cell, and half a byte.
 */
import type { Kernel } from "./instance.ts";
import type { LetterScores } from "./letters.ts";
import { BOTH, FIRST, SECOND, type Profile } from "./profile.ts";
import type { Scoring } from "./scoring.ts";

/** An alignment of two profiles. */
export interface ProfilePath {
  /** Mean score of the pairs of sequences, one of each profile. */
  score: number;
  /** [columns] Whether each is of {@link BOTH}, of the {@link FIRST} or of the {@link SECOND} alone. */
  path: Uint8Array;
}

/** Costs of a gap opposite the columns of a profile. */
interface GapCosts {
  /** [width] Of beginning or ending in each. */
  edge: Float32Array;
  /** [width] Of going through each. */
  extend: Float32Array;
}

export class ProfileAligner {
  readonly #kernel: Kernel;
  readonly #letters: LetterScores;
  readonly #scoring: Scoring;
  readonly #base: number;

  /** Works in the kernel's memory from where it is now; everything allocated later is overwritten. */
  constructor(kernel: Kernel, letters: LetterScores, scoring: Scoring) {
    this.#kernel = kernel;
    this.#letters = letters;
    this.#scoring = scoring;
    this.#base = kernel.mark;
  }

  /** The best alignment of two profiles. Among equally good ones it pairs columns rather than leaving them out. */
  align(first: Profile, second: Profile): ProfilePath {
    // Rows cost by the letters that stand in them.
    return entries(first) * second.width <= entries(second) * first.width
      ? this.#align(first, second, FIRST, SECOND)
      : this.#align(second, first, SECOND, FIRST);
  }

  /** Rows are those of one profile, columns those of the other; a step that takes a row alone is written as `row`. */
  #align(rows: Profile, columns: Profile, row: number, column: number): ProfilePath {
    const [m, n] = [rows.width, columns.width];
    if (m === 0 || n === 0) return this.#withNothing(m > 0 ? rows : columns, m > 0 ? row : column);
    const kernel = this.#kernel;
    const { endGaps } = this.#scoring;
    kernel.rewind(this.#base);
    const size = 4 * columns.stride;
    const planes = this.#placePlanes(columns);
    const { offsets, entries } = this.#placeRows(rows, planes, size);
    const costs = this.#placeRowCosts(this.#gapCosts(rows));
    const columnCosts = this.#gapCosts(columns);
    const [leave, enter] = this.#placeColumnCosts(columnCosts, columns.stride, 1);
    const [endLeave, endEnter] = this.#placeColumnCosts(columnCosts, columns.stride, endGaps);
    const scores = kernel.allocate(size);
    const cells = kernel.allocate(size);
    const gaps = kernel.allocate(size);
    const bits = kernel.allocate((m * size) / 8);
    const ends = kernel.allocate(m);
    const score = kernel.exports.alignProfiles(
      m,
      n,
      size,
      offsets,
      entries,
      costs,
      leave,
      enter,
      endLeave,
      endEnter,
      endGaps,
      scores,
      cells,
      gaps,
      bits,
      ends,
    );
    return { score, path: traced(kernel.bytes, { m, n, size, bits, ends }, row, column) };
  }

  /** One profile against nothing: a gap all along. */
  #withNothing(profile: Profile, step: number): ProfilePath {
    const path = new Uint8Array(profile.width).fill(step);
    return { score: profile.width === 0 ? 0 : this.scoreOf(path, profile, profile), path };
  }

  /** What each letter scores against every column. */
  #placePlanes({ counts, stride, weight }: Profile): number {
    const kernel = this.#kernel;
    const { scores, count } = this.#letters;
    const table = this.#placeFloats(scores.map((score) => score / weight));
    const source = this.#placeFloats(counts);
    const planes = kernel.allocate(4 * stride * count);
    kernel.exports.scorePlanes(count, 4 * stride, source, table, planes);
    return planes;
  }

  /** Letters of every row, with their shares. */
  #placeRows({ width, stride, counts, weight }: Profile, planes: number, size: number) {
    const { count } = this.#letters;
    const offsets = new Uint32Array(width + 1);
    const entries = new DataView(new ArrayBuffer(8 * Math.max(1, count) * width));
    let used = 0;
    for (let i = 0; i < width; i++) {
      for (let letter = 0; letter < count; letter++) {
        const share = counts[letter * stride + i] / weight;
        // A row without letters has one entry all the same.
        if (share === 0 && (letter + 1 < count || used > offsets[i])) continue;
        entries.setUint32(8 * used, planes + letter * size, true);
        entries.setFloat32(8 * used + 4, share, true);
        used++;
      }
      offsets[i + 1] = used;
    }
    const bytes = new Uint8Array(entries.buffer, 0, 8 * used);
    return { offsets: this.#placeBytes(new Uint8Array(offsets.buffer)), entries: this.#placeBytes(bytes) };
  }

  #placeRowCosts({ edge, extend }: GapCosts): number {
    const costs = new Float32Array(2 * edge.length);
    for (let i = 0; i < edge.length; i++) {
      costs[2 * i] = edge[i];
      costs[2 * i + 1] = extend[i];
    }
    return this.#placeFloats(costs);
  }

  /** What it takes to leave a column for a gap, and to enter one from it; see assembly/profile.ts. */
  #placeColumnCosts(
    { edge, extend }: GapCosts,
    stride: number,
    share: number,
  ): [leave: number, enter: number] {
    const leave = new Float32Array(stride + 1).fill(-1e30);
    const enter = new Float32Array(stride);
    let sum = 0;
    for (let j = 0; j < edge.length; j++) {
      leave[j] = sum - share * edge[j];
      sum += share * extend[j];
      enter[j] = sum + share * edge[j];
    }
    return [this.#placeFloats(leave), this.#placeFloats(enter)];
  }

  #gapCosts({ weight, letters }: Profile): GapCosts {
    const { gapOpen, gapExtend } = this.#scoring;
    const extend = letters.map((letter) => (gapExtend * letter) / weight);
    const edge = letters.map((letter) => (gapOpen * letter) / (2 * weight));
    return { edge, extend };
  }

  /** The score of a path that is there, by the same rules as {@link align}. */
  scoreOf(path: Uint8Array, first: Profile, second: Profile): number {
    const { count, scores } = this.#letters;
    const { endGaps } = this.#scoring;
    const costs = { [FIRST]: this.#gapCosts(first), [SECOND]: this.#gapCosts(second) };
    let [i, j, score] = [0, 0, 0];
    for (let from = 0; from < path.length;) {
      const step = path[from];
      let to = from + 1;
      while (to < path.length && path[to] === step) to++;
      if (step === BOTH) {
        for (let k = from; k < to; k++, i++, j++) {
          let sum = 0;
          for (let a = 0; a < count; a++) {
            const share = first.counts[a * first.stride + i];
            if (share === 0) continue;
            for (let b = 0; b < count; b++)
              sum += share * second.counts[b * second.stride + j] * scores[a * count + b];
          }
          score += sum / (first.weight * second.weight);
        }
      } else {
        const { edge, extend } = costs[step as typeof FIRST];
        const at = step === FIRST ? i : j;
        const after = at + to - from;
        const other = step === FIRST ? j : i;
        const end = other === 0 || other === (step === FIRST ? second : first).width;
        let cost = edge[at] + edge[after - 1];
        for (let k = at; k < after; k++) cost += extend[k];
        score -= end ? endGaps * cost : cost;
        if (step === FIRST) i = after;
        else j = after;
      }
      from = to;
    }
    return score;
  }

  #placeFloats(values: Float32Array): number {
    const address = this.#kernel.allocate(values.byteLength);
    new Float32Array(this.#kernel.bytes.buffer, address, values.length).set(values);
    return address;
  }

  #placeBytes(values: Uint8Array): number {
    const address = this.#kernel.allocate(values.byteLength);
    this.#kernel.bytes.set(values, address);
    return address;
  }
}

/** Letters that stand in the columns of a profile, over all columns. */
function entries({ counts }: Profile): number {
  let found = 0;
  for (let k = 0; k < counts.length; k++) if (counts[k] !== 0) found++;
  return found;
}

interface Trace {
  m: number;
  n: number;
  size: number;
  bits: number;
  ends: number;
}

/** The path that the bits of the cells tell, from its end. */
function traced(
  bytes: Uint8Array,
  { m, n, size, bits, ends }: Trace,
  row: number,
  column: number,
): Uint8Array {
  const path = new Uint8Array(m + n);
  let at = path.length;
  let [i, j] = [m, n];
  /** Bit `kind` of cell (i, j), from 1 on: 0 a gap down, 1 a gap across, 2 the one down goes on, 3 one across opens. */
  const bit = (i: number, j: number, kind: number): number => {
    const address = bits + ((i - 1) * size) / 8 + 2 * ((j - 1) >> 2);
    const word = bytes[address] | (bytes[address + 1] << 8);
    return (word >> (4 * kind + ((j - 1) & 3))) & 1;
  };
  const down = (): void => {
    for (let goesOn = 1; goesOn === 1 && i > 0; i--) {
      path[--at] = row;
      goesOn = j === n ? bytes[ends + i - 1] >> 1 : bit(i, j, 2);
    }
  };
  while (i > 0 && j > 0) {
    if (j === n && (bytes[ends + i - 1] & 1) === 1) {
      down();
      continue;
    }
    if (bit(i, j, 1) === 1) {
      do path[--at] = column;
      while (--j > 0 && bit(i, j, 3) === 0);
    }
    // Where the gap across began there was none across.
    if (j === 0) break;
    if (bit(i, j, 0) === 1) down();
    else {
      path[--at] = BOTH;
      i--;
      j--;
    }
  }
  while (i-- > 0) path[--at] = row;
  while (j-- > 0) path[--at] = column;
  return path.slice(at);
}
