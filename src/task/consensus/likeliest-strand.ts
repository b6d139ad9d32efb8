/**
 * @file The strand that reads most likely are copies of: a majority vote in which every read votes on every edit.
 *
 * The vote begins with the read nearest to the others. In each pass all reads say how much likelier every single edit of
 * the strand so far would make them (read-likelihood.ts), the votes are added up, and the best edits that are not near
 * each other are made together; where they turn out to be too much together, only the best of them is. When no edit is
 * left, runs of equal letters are tried one longer and one shorter, whose gains are only known when they have been made.
 * The strand is then at least as likely as every one that is a single edit away. A pass of K reads of n letters takes
 * O(K n); a few do.
 *
 * A letter more must make the reads likelier by its price, the logarithm of the number of letters: there are so many
 * times as many strands of one letter more. Where the length of the strands is known, the strand is brought to it by the edits that lose least.
 */

import { medoid } from "../../baseline/median-string.ts";
import { NANOPORE, StrandWeights, type Channel } from "./channel.ts";
import { edited, EditGains, LEAST_GAIN, runEdits, spreadOut, type Edit } from "./edits.ts";
import { layRead, ReadLikelihood, type LaidRead } from "./read-likelihood.ts";

export interface LikeliestStrandOptions {
  /** Size of the alphabet; codes from there on stand for several letters. */
  letters: number;
  /** How reads err (default: as nanopore reads do). */
  channel?: Channel;
  /** Letters of the strand, where that is known. */
  length?: number;
}

/** Reads among which the first is looked for: all pairs of more take longer than the passes. */
const CANDIDATES = 32;
/** How much a longer or shorter run may seem to lose, for each read, to be tried. */
const MARGIN = 0.75;
/** Passes after which edits that are as good as each other may take turns no longer. */
const MOST_PASSES = 200;

/** The strand that `reads` most likely are copies of; the read itself where there is one only. */
export function likeliestStrand(
  reads: readonly Uint8Array[],
  { letters, channel = NANOPORE, length }: LikeliestStrandOptions,
): Uint8Array {
  const first = firstStrand(reads);
  const copies = reads.every((read) => read.length === first.length && read.every((c, i) => c === first[i]));
  if (copies && (length === undefined || length === first.length)) return first.slice();
  const vote = new Vote(reads, plainLetters(first, reads, letters), { letters, channel });
  vote.improve(["replace", "insert", "remove"]);
  if (length !== undefined) vote.bringTo(length);
  return vote.withAmbiguity();
}

/** The read nearest to the others; of many reads, some evenly spaced among all. */
function firstStrand(reads: readonly Uint8Array[]): Uint8Array {
  const count = Math.min(reads.length, CANDIDATES);
  const some = Array.from({ length: count }, (_, i) => reads[Math.floor((i * reads.length) / count)]);
  return some[medoid(some)];
}

/** The strand with the commonest plain letter of all reads where a letter stands for several. */
function plainLetters(strand: Uint8Array, reads: readonly Uint8Array[], letters: number): Uint8Array {
  if (strand.every((code) => code < letters)) return strand.slice();
  const counts = new Uint32Array(letters);
  for (const read of reads) for (const code of read) if (code < letters) counts[code]++;
  const commonest = counts.indexOf(counts.reduce((most, count) => Math.max(most, count), 0));
  return strand.map((code) => (code < letters ? code : commonest));
}

/** A strand, and reads that vote on its edits. */
class Vote {
  strand: Uint8Array;
  gains: EditGains;
  #score: number;
  #reads: LaidRead[];
  readonly #letters: number;
  /** What a letter more costs. */
  readonly #price: number;
  readonly #channel: Channel;
  readonly #likelihood: ReadLikelihood;

  constructor(
    reads: readonly Uint8Array[],
    strand: Uint8Array,
    { letters, channel }: { letters: number; channel: Channel },
  ) {
    this.#letters = letters;
    this.#price = Math.log(letters);
    this.#channel = channel;
    this.#likelihood = new ReadLikelihood(letters);
    this.#reads = reads.map((read) => layRead(read, strand, letters));
    this.strand = strand;
    [this.#score, this.gains] = this.#count(strand, this.#reads);
  }

  /** Makes edits of these kinds as long as they bring something. */
  improve(kinds: readonly Edit["kind"][]): void {
    for (let pass = 0; pass < MOST_PASSES; pass++) {
      const edits = kinds.flatMap((kind) => [...this.gains.of(kind, LEAST_GAIN)]);
      if (this.#makeBest(edits)) continue;
      if (kinds.length === 1 || !this.#makeBest(this.#runEdits())) return;
    }
  }

  /** Brings the strand to so many letters. */
  bringTo(length: number): void {
    while (this.strand.length !== length) {
      const kind = this.strand.length < length ? "insert" : "remove";
      const [best] = spreadOut([...this.gains.of(kind, -Infinity)], this.strand.length);
      this.#make([best], -Infinity);
    }
    this.improve(["replace"]);
  }

  /** The strand, with letters that stand for several where no read has a plain one. */
  withAmbiguity(): Uint8Array {
    const plain = new Uint8Array(this.strand.length);
    const counts = new Map<number, number[]>();
    for (const { codes, path } of this.#reads) {
      for (let place = 0; place < plain.length; place++) {
        if (path[place + 1] === path[place]) continue;
        const code = codes[path[place]];
        if (code < this.#letters) plain[place] = 1;
        else counts.set(place, [...(counts.get(place) ?? []), code]);
      }
    }
    const strand = this.strand.slice();
    for (const [place, codes] of counts) if (plain[place] === 0) strand[place] = commonest(codes);
    return strand;
  }

  /** Makes the best of the edits, or the best alone where they are too much together; whether that was better. */
  #makeBest(edits: readonly Edit[]): boolean {
    const spread = spreadOut(edits, this.strand.length);
    if (spread.length === 0) return false;
    return this.#make(spread, this.#score) || (spread.length > 1 && this.#make([spread[0]], this.#score));
  }

  /** Makes edits where the score then is above `least`. */
  #make(edits: readonly Edit[], least: number): boolean {
    const { strand, reads } = this.#with(edits);
    const [score, gains] = this.#count(strand, reads);
    if (score < least + LEAST_GAIN) return false;
    [this.strand, this.#reads, this.#score, this.gains] = [strand, reads, score, gains];
    return true;
  }

  /** The strand with edits made, and the reads along it. */
  #with(edits: readonly Edit[]): { strand: Uint8Array; reads: LaidRead[] } {
    const { strand, origin } = edited(this.strand, edits);
    const reads = this.#reads.map(({ codes, tokens, path }) => ({
      codes,
      tokens,
      path: Int32Array.from(origin, (place) => path[place]),
    }));
    return { strand, reads };
  }

  /** The score of a strand, and what its edits would add. */
  #count(strand: Uint8Array, reads: readonly LaidRead[]): [number, EditGains] {
    const weights = new StrandWeights(strand, this.#channel, this.#letters);
    const gains = new EditGains(strand.length, this.#letters, this.#price);
    let score = -this.#price * strand.length;
    for (const read of reads) score += this.#likelihood.scoreEdits(read, strand, weights, gains);
    return [score, gains];
  }

  /** Edits of runs, with what they bring when made. */
  #runEdits(): Edit[] {
    const better: Edit[] = [];
    for (const edit of runEdits(this.strand, this.gains, MARGIN * this.#reads.length)) {
      const { strand, reads } = this.#with([edit]);
      const weights = new StrandWeights(strand, this.#channel, this.#letters);
      let score = -this.#price * strand.length;
      for (const read of reads) score += this.#likelihood.score(read, strand, weights);
      const gain = score - this.#score;
      if (gain > LEAST_GAIN) better.push({ ...edit, gain });
    }
    return better;
  }
}

/** The value that a list holds most often; of several, the least. */
function commonest(values: readonly number[]): number {
  const count = (value: number) => values.filter((other) => other === value).length;
  return values.toSorted((a, b) => count(b) - count(a) || a - b)[0];
}
