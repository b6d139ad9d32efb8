/**
 * @file What happens to a strand's letters on the way to a read.
 *
 * Each letter of the strand is deleted, replaced by another, or passed on, and any number of letters is inserted behind
 * it. Sequencers lose count in runs of one letter: a letter of a run is deleted more often the longer the run, and
 * another of it inserted more often. Without that, a vote shortens long runs, of which most reads show too few letters.
 */

/** How often a channel errs, per letter of the strand. */
export interface Channel {
  substitution: number;
  /** Letters inserted behind a letter. */
  insertion: number;
  /** Of a letter that stands alone. */
  deletion: number;
  /** How many times likelier a letter is deleted for each letter more of its run, and how often at most. */
  runDeletion: number;
  mostDeletion: number;
  /** How many times likelier than that each letter is deleted, by code (1 where there is none). */
  letterDeletion: readonly number[];
  /** How many times likelier the letter of a run is inserted in it for each letter more, and how many times at most. */
  runInsertion: number;
  mostRunInsertion: number;
}

/**
 * Nanopore reads of a few percent of errors. Factors of runs and letters are those of reads of 500 strands of DNA
 * storage, in which a C or G was deleted 1 % of the time alone, 5 % in a run of four and 24 % in a run of six, an A or T
 * half as often. Other sequencers differ in the rates, which change few letters: with all halved, strands came out
 * within a point as often.
 */
export const NANOPORE: Channel = {
  substitution: 0.015,
  insertion: 0.013,
  deletion: 0.008,
  runDeletion: 1.9,
  mostDeletion: 0.24,
  letterDeletion: [0.5, 1, 1, 0.5],
  runInsertion: 1.5,
  mostRunInsertion: 6,
};

/** What each step along a strand multiplies the likelihood of a read by, relative to a read of random letters. */
export class StrandWeights {
  /** Replacing a letter by one other. */
  readonly replaced: number;
  /** Inserting a letter. */
  readonly inserted: number;
  /** Passing on and deleting a letter that is only tried out, taken for one that stands alone. */
  readonly passedAlone: number;
  readonly removedAlone: number;
  /** [places] Passing on and deleting the letter at each place, and inserting another of it behind it. */
  readonly passed: Float64Array;
  readonly removed: Float64Array;
  readonly repeated: Float64Array;

  /** `letters` is the size of the alphabet. */
  constructor(strand: Uint8Array, channel: Channel, letters: number) {
    const { substitution, insertion, deletion } = channel;
    this.replaced = (letters * substitution) / (letters - 1);
    this.inserted = insertion;
    this.passedAlone = letters * (1 - substitution - deletion);
    this.removedAlone = deletion;
    this.passed = new Float64Array(strand.length);
    this.removed = new Float64Array(strand.length);
    this.repeated = new Float64Array(strand.length);
    for (const [from, to] of runsOf(strand)) {
      const more = to - from - 1;
      const times = channel.letterDeletion[strand[from]] ?? 1;
      const removed = times * Math.min(channel.mostDeletion, deletion * channel.runDeletion ** more);
      this.removed.fill(removed, from, to);
      this.passed.fill(letters * (1 - substitution - removed), from, to);
      const repeated = insertion * Math.min(channel.mostRunInsertion, channel.runInsertion ** more);
      this.repeated.fill(repeated, from, to);
    }
  }
}

/** The runs of equal letters: first place, and that behind the last. */
export function* runsOf(strand: Uint8Array): Generator<[from: number, to: number]> {
  for (let from = 0; from < strand.length;) {
    let to = from + 1;
    while (to < strand.length && strand[to] === strand[from]) to++;
    yield [from, to];
    from = to;
  }
}
