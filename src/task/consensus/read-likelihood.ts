/**
 * @file How likely a read is, given the strand it was read from, and how much likelier every single edit of the strand
 * would make it.
 *
 * A read is taken for what a channel (channel.ts) makes of a strand. The likelihood sums over all alignments, as which
 * of them happened cannot be known; it is computed forwards from the start and backwards from the end. The two together
 * give, at the price of a third pass, the likelihood for every strand that is one edit away: paths cross from one
 * letter of the strand to the next exactly once, and an edit only changes how they cross there. So did Chin et al.,
 * "Nonhybrid, finished microbial genome assemblies from long-read SMRT sequencing data", Nature Methods 10 (2013).
 *
 * - Likelihoods are relative to those of random letters: a read of something else falls far below 1, and the share of
 *   such reads that is reckoned with takes its vote away.
 * - Reads may begin late or end early at a fixed price: letters that were never read are not deletions, and such a read
 *   says nothing of them.
 * - Letters of a read that stand for several (N, R, …) fit every letter equally well.
 * - Only a band about the likeliest alignment is filled, and it moves with that from pass to pass: O(n × band).
 * - Rows are scaled to a greatest value of 1, in double precision, so that lengths do not matter. What an edit near a
 *   run of equal letters changes in the weights of the others is left out of its gain; scores themselves are exact.
 */

import { editDistance, editScript } from "../../kernel/index.ts";
import type { StrandWeights } from "./channel.ts";
import type { EditGains } from "./edits.ts";

/** No letter at all. */
const NONE = 255;
/** Letters either side of the likeliest alignment that are looked at. */
const BAND = 8;
/** Chance that a read begins late, and that it ends early. */
const TRUNCATION = 1e-3;
/** How many reads of something else there are to one of the strand. */
const FOREIGN = 0.01;

/** A read, and where its letters lie along the strand. */
export interface LaidRead {
  codes: Uint8Array;
  /** The codes, with one past the plain letters for all that stand for several. */
  tokens: Uint8Array;
  /** [letters of the strand + 1] Letters of the read before each place of the strand, ascending. */
  path: Int32Array;
}

/** Lays a read along a strand by an optimal edit script; `letters` is the size of the alphabet. */
export function layRead(codes: Uint8Array, strand: Uint8Array, letters: number): LaidRead {
  const path = new Int32Array(strand.length + 1);
  let [i, j] = [0, 0];
  for (const { operation, count } of editScript(codes, strand, editDistance(codes, strand)).runs) {
    if (operation === "I") j += count;
    else for (let k = 0; k < count; k++) path[++i] = operation === "D" ? j : ++j;
  }
  return { codes, tokens: codes.map((code) => Math.min(code, letters)), path };
}

/** Logarithm of a likelihood, from that of the read being the strand's alone. */
function scoreOf(logarithm: number): number {
  return logarithm > 40 ? logarithm : Math.log(Math.exp(logarithm) + FOREIGN);
}

/** Computes likelihoods, in memory that is used again. */
export class ReadLikelihood {
  readonly #letters: number;
  /** Rows of the band, end to end. */
  #forward = new Float64Array(0);
  #backward = new Float64Array(0);
  /** [n + 1] First letter of each row, that behind its last, and where letter 0 of it would stand. */
  #first = new Int32Array(0);
  #end = new Int32Array(0);
  #offset = new Int32Array(0);
  /** [n + 1] Logarithms of what rows were divided by, in all. */
  #forwardScale = new Float64Array(0);
  #backwardScale = new Float64Array(0);
  /** [n + 1] Likelihood of not having begun at a row, and of what then comes, in the units of the row. */
  #waiting = new Float64Array(0);
  #beginning = new Float64Array(0);
  /** [n + 1] Likelihood of having ended before a row, and what that is worth in the units of the rows behind. */
  #ended = new Float64Array(0);
  #ending = new Float64Array(0);
  /** [letters + 1] Likelihood of the paths that pair a letter, by the read's. */
  readonly #sums: Float64Array;

  /** `letters` is the size of the alphabet; codes from there on stand for several letters. */
  constructor(letters: number) {
    this.#letters = letters;
    this.#sums = new Float64Array(letters + 1);
  }

  /** The logarithm of a read's likelihood, relative to random letters. */
  score(read: LaidRead, strand: Uint8Array, weights: StrandWeights): number {
    this.#layOut(read, strand.length);
    return scoreOf(this.#fillForward(read.tokens, strand, weights));
  }

  /** The same; adds what every edit would add to it to `gains`, and moves the read's path to the likeliest. */
  scoreEdits(read: LaidRead, strand: Uint8Array, weights: StrandWeights, gains: EditGains): number {
    this.#layOut(read, strand.length);
    const score = scoreOf(this.#fillForward(read.tokens, strand, weights));
    if (score === scoreOf(-Infinity)) return score;
    this.#fillBackward(read.tokens, strand, weights);
    this.#addInsertions(read.tokens, weights, gains, score);
    this.#addReplacements(read.tokens, strand, weights, gains, score);
    this.#addRemovals(read.tokens, strand, weights, gains, score);
    this.#follow(read);
    return score;
  }

  /** Lays out the rows about the read's path. */
  #layOut({ tokens, path }: LaidRead, n: number): void {
    if (this.#first.length <= n) {
      const room = n + 1 + (n >> 2);
      this.#first = new Int32Array(room);
      this.#end = new Int32Array(room);
      this.#offset = new Int32Array(room);
      this.#forwardScale = new Float64Array(room);
      this.#backwardScale = new Float64Array(room);
      this.#waiting = new Float64Array(room);
      this.#beginning = new Float64Array(room);
      this.#ended = new Float64Array(room);
      this.#ending = new Float64Array(room);
    }
    const m = tokens.length;
    let cells = 0;
    for (let i = 0; i <= n; i++) {
      this.#first[i] = i === 0 ? 0 : Math.max(0, path[i] - BAND);
      this.#end[i] = Math.min(m, i === n ? m : path[i + 1] + BAND) + 1;
      this.#offset[i] = cells - this.#first[i];
      cells += this.#end[i] - this.#first[i];
    }
    if (this.#forward.length < cells) {
      this.#forward = new Float64Array(cells + (cells >> 2));
      this.#backward = new Float64Array(cells + (cells >> 2));
    }
  }

  /** Likelihoods of a read's beginnings; gives the logarithm of the whole's, −∞ where the band holds no path. */
  #fillForward(tokens: Uint8Array, strand: Uint8Array, weights: StrandWeights): number {
    const letters = this.#letters;
    const [row, first, end, offset] = [this.#forward, this.#first, this.#end, this.#offset];
    const [waiting, ended] = [this.#waiting, this.#ended];
    const { inserted, replaced } = weights;
    const n = strand.length;
    const m = tokens.length;
    row[0] = 1;
    for (let j = 1; j < end[0]; j++) row[j] = row[j - 1] * inserted;
    waiting[0] = TRUNCATION;
    ended[0] = 0;
    let scale = (this.#forwardScale[0] = 0);
    for (let i = 1; i <= n; i++) {
      const [at, above] = [offset[i], offset[i - 1]];
      const [aboveFrom, aboveTo] = [first[i - 1], end[i - 1]];
      const letter = strand[i - 1];
      const [passed, removed, repeated] = [
        weights.passed[i - 1],
        weights.removed[i - 1],
        weights.repeated[i - 1],
      ];
      let left = 0;
      let largest = 0;
      for (let j = first[i]; j < end[i]; j++) {
        const code = j > 0 ? tokens[j - 1] : NONE;
        let value = left * (code === letter ? repeated : inserted);
        if (j >= aboveFrom && j < aboveTo) value += row[above + j] * removed;
        if (j > aboveFrom && j <= aboveTo) {
          value += row[above + j - 1] * (code === letter ? passed : code >= letters ? 1 : replaced);
        }
        if (j === 0) value += waiting[i - 1];
        row[at + j] = left = value;
        if (value > largest) largest = value;
      }
      waiting[i] = waiting[i - 1];
      ended[i] = ended[i - 1] + (aboveTo > m ? TRUNCATION * row[above + m] : 0);
      largest = Math.max(largest, waiting[i], ended[i]);
      if (largest === 0) return -Infinity;
      const factor = 1 / largest;
      for (let j = first[i]; j < end[i]; j++) row[at + j] *= factor;
      waiting[i] *= factor;
      ended[i] *= factor;
      this.#forwardScale[i] = scale += Math.log(largest);
    }
    return Math.log(row[offset[n] + m] + ended[n]) + scale;
  }

  /** Likelihoods of a read's ends. */
  #fillBackward(tokens: Uint8Array, strand: Uint8Array, weights: StrandWeights): void {
    const letters = this.#letters;
    const [row, first, end, offset] = [this.#backward, this.#first, this.#end, this.#offset];
    const [beginning, ending] = [this.#beginning, this.#ending];
    const { inserted, replaced } = weights;
    const n = strand.length;
    const m = tokens.length;
    let scale = 0;
    for (let i = n; i >= 0; i--) {
      const [at, below] = [offset[i], i < n ? offset[i + 1] : 0];
      const [belowFrom, belowTo] = i < n ? [first[i + 1], end[i + 1]] : [0, 0];
      // Behind the last letter, nothing but insertions is to come.
      const letter = i < n ? strand[i] : NONE;
      const [passed, removed] = i < n ? [weights.passed[i], weights.removed[i]] : [0, 0];
      const last = i > 0 ? strand[i - 1] : NONE;
      const repeated = i > 0 ? weights.repeated[i - 1] : inserted;
      ending[i] = i < n ? ending[i + 1] : 1;
      beginning[i] = i < n ? beginning[i + 1] + (belowFrom === 0 ? row[below] : 0) : 0;
      let right = 0;
      let largest = Math.max(ending[i], beginning[i]);
      for (let j = end[i] - 1; j >= first[i]; j--) {
        const code = j < m ? tokens[j] : NONE;
        let value = right * (code === last ? repeated : inserted);
        if (j >= belowFrom && j < belowTo) value += row[below + j] * removed;
        if (j + 1 >= belowFrom && j + 1 < belowTo) {
          value += row[below + j + 1] * (code === letter ? passed : code >= letters ? 1 : replaced);
        }
        if (j === m) value += i < n ? TRUNCATION * ending[i] : 1;
        row[at + j] = right = value;
        if (value > largest) largest = value;
      }
      const factor = 1 / largest;
      for (let j = first[i]; j < end[i]; j++) row[at + j] *= factor;
      beginning[i] *= factor;
      ending[i] *= factor;
      this.#backwardScale[i] = scale += Math.log(largest);
    }
  }

  /** Paths that cross from row i to row k without a letter of the read: not begun, ended before, or ending here. */
  #beyond(i: number, k: number, m: number): number {
    const begin = this.#first[k] === 0 ? this.#backward[this.#offset[k]] : 0;
    const end = this.#end[i] > m ? TRUNCATION * this.#forward[this.#offset[i] + m] : 0;
    return this.#waiting[i] * (begin + this.#beginning[k]) + (end + this.#ended[i]) * this.#ending[k];
  }

  /**
   * Paths that cross from row i to row k: `sums` by the letter of the read that they take, the result without one.
   */
  #cross(tokens: Uint8Array, i: number, k: number): number {
    const [forward, backward] = [this.#forward, this.#backward];
    const [at, to] = [this.#offset[i], this.#offset[k]];
    const [toFrom, toEnd] = [this.#first[k], this.#end[k]];
    const sums = this.#sums;
    for (let code = 0; code < sums.length; code++) sums[code] = 0;
    let none = 0;
    for (let j = Math.max(this.#first[i], toFrom - 1); j < this.#end[i] && j < toEnd; j++) {
      if (j >= toFrom) none += forward[at + j] * backward[to + j];
      if (j + 1 < toEnd) sums[tokens[j]] += forward[at + j] * backward[to + j + 1];
    }
    return none;
  }

  /** The sum of the plain letters' sums. */
  #plain(): number {
    let plain = 0;
    for (let code = 0; code < this.#letters; code++) plain += this.#sums[code];
    return plain;
  }

  #addInsertions(
    tokens: Uint8Array,
    { replaced, passedAlone, removedAlone }: StrandWeights,
    gains: EditGains,
    score: number,
  ): void {
    const letters = this.#letters;
    const sums = this.#sums;
    for (let i = 0; i <= gains.places; i++) {
      const none = this.#cross(tokens, i, i);
      const rest =
        none * removedAlone + sums[letters] + this.#beyond(i, i, tokens.length) + this.#plain() * replaced;
      const scale = this.#forwardScale[i] + this.#backwardScale[i];
      for (let code = 0; code < letters; code++) {
        const likelihood = rest + (passedAlone - replaced) * sums[code];
        gains.insert[i * letters + code] += scoreOf(Math.log(likelihood) + scale) - score;
      }
    }
  }

  #addReplacements(
    tokens: Uint8Array,
    strand: Uint8Array,
    { replaced, passedAlone, removedAlone }: StrandWeights,
    gains: EditGains,
    score: number,
  ): void {
    const letters = this.#letters;
    const sums = this.#sums;
    for (let i = 0; i < gains.places; i++) {
      const none = this.#cross(tokens, i, i + 1);
      const rest =
        none * removedAlone +
        sums[letters] +
        this.#beyond(i, i + 1, tokens.length) +
        this.#plain() * replaced;
      const scale = this.#forwardScale[i] + this.#backwardScale[i + 1];
      for (let code = 0; code < letters; code++) {
        if (code === strand[i]) continue;
        const likelihood = rest + (passedAlone - replaced) * sums[code];
        gains.replace[i * letters + code] += scoreOf(Math.log(likelihood) + scale) - score;
      }
    }
  }

  #addRemovals(
    tokens: Uint8Array,
    strand: Uint8Array,
    weights: StrandWeights,
    gains: EditGains,
    score: number,
  ): void {
    const sums = this.#sums;
    const m = tokens.length;
    const n = gains.places;
    for (let i = 0; i < n; i++) {
      let likelihood: number;
      let scale = this.#forwardScale[i];
      if (i === n - 1) {
        likelihood = (this.#end[i] > m ? this.#forward[this.#offset[i] + m] : 0) + this.#ended[i];
      } else {
        const next = strand[i + 1];
        const none = this.#cross(tokens, i, i + 2);
        likelihood =
          none * weights.removed[i + 1] +
          sums[this.#letters] +
          this.#beyond(i, i + 2, m) +
          this.#plain() * weights.replaced +
          (weights.passed[i + 1] - weights.replaced) * sums[next];
        scale += this.#backwardScale[i + 2];
      }
      gains.remove[i] += scoreOf(Math.log(likelihood) + scale) - score;
    }
  }

  /** Moves the path to where the read most likely is at every place. */
  #follow({ path }: LaidRead): void {
    let last = 0;
    for (let i = 0; i < path.length; i++) {
      const at = this.#offset[i];
      let best = last;
      let most = -1;
      for (let j = Math.max(last, this.#first[i]); j < this.#end[i]; j++) {
        const likelihood = this.#forward[at + j] * this.#backward[at + j];
        if (likelihood > most) [best, most] = [j, likelihood];
      }
      path[i] = last = best;
    }
  }
}
