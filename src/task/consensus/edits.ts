/**
 * @file Single edits of a strand: what each would bring, which of them to make together, and making them.
 */

import { runsOf } from "./channel.ts";

/** An edit of the letter at a place, or before it, and what it adds to the score. */
export interface Edit {
  kind: "replace" | "remove" | "insert";
  place: number;
  /** The new letter; of no meaning where one is removed. */
  letter: number;
  gain: number;
}

/** What all single edits of a strand would add to the score. */
export class EditGains {
  readonly letters: number;
  readonly places: number;
  /** [places × letters] */
  readonly replace: Float64Array;
  /** [places] */
  readonly remove: Float64Array;
  /** [(places + 1) × letters] Before each place, and at the end. */
  readonly insert: Float64Array;

  /** `price` is what a letter more costs, whatever the reads say. */
  constructor(places: number, letters: number, price: number) {
    this.letters = letters;
    this.places = places;
    this.replace = new Float64Array(places * letters);
    this.remove = new Float64Array(places).fill(price);
    this.insert = new Float64Array((places + 1) * letters).fill(-price);
  }

  /** The edits of `kind` that gain more than `least`. */
  *of(kind: Edit["kind"], least: number): Generator<Edit> {
    const gains = this[kind];
    const each = kind === "remove" ? 1 : this.letters;
    for (let at = 0; at < gains.length; at++) {
      if (gains[at] <= least) continue;
      yield { kind, place: Math.floor(at / each), letter: at % each, gain: gains[at] };
    }
  }
}

/** Gains below this are noise of the arithmetic. */
export const LEAST_GAIN = 1e-6;

/** Places between two edits that are made together: what one brings depends on letters nearby. */
const APART = 6;

/** The edits, best first, without those near a better one. */
export function spreadOut(edits: readonly Edit[], places: number): Edit[] {
  const taken = new Uint8Array(places + 1);
  const best = edits.toSorted((a, b) => b.gain - a.gain);
  return best.filter(({ place }) => {
    if (taken[place] === 1) return false;
    taken.fill(1, Math.max(0, place - APART), place + APART + 1);
    return true;
  });
}

/** Makes a run of equal letters longer or shorter by one, for all that would lose no more than `margin` by it. */
export function* runEdits(strand: Uint8Array, gains: EditGains, margin: number): Generator<Edit> {
  for (const [from, to] of runsOf(strand)) {
    if (to - from < 2) continue;
    const letter = strand[from];
    const longer = gains.insert[from * gains.letters + letter];
    if (longer > -margin) yield { kind: "insert", place: from, letter, gain: longer };
    const shorter = gains.remove[from];
    if (shorter > -margin) yield { kind: "remove", place: from, letter, gain: shorter };
  }
}

/** The strand with the edits made, and for each of its places that which it had, or the edit was made before. */
export function edited(
  strand: Uint8Array,
  edits: readonly Edit[],
): { strand: Uint8Array; origin: Uint32Array } {
  const at = new Map(edits.map((edit) => [edit.place, edit]));
  const letters: number[] = [];
  const origin: number[] = [];
  for (let place = 0; place <= strand.length; place++) {
    const edit = at.get(place);
    if (edit?.kind === "insert") {
      letters.push(edit.letter);
      origin.push(place);
    }
    if (place === strand.length || edit?.kind === "remove") continue;
    letters.push(edit?.kind === "replace" ? edit.letter : strand[place]);
    origin.push(place);
  }
  return { strand: Uint8Array.from(letters), origin: Uint32Array.from([...origin, strand.length]) };
}
