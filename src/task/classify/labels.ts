/**
 * @file Numbering the classes of labelled sequences.
 *
 * Labels come as text, and how many classes there are is known at the end. Until then classes are numbered by their
 * first appearance; then they are put in ascending order, as numbers where all are whole numbers. A model's classes
 * can be given instead: then nothing else may occur, and no more has to.
 */

import { FormatError, type Location } from "../../error.ts";
import type { SplitName } from "./columns.ts";

/** The most classes there can be, which is what labels have room for. */
const MOST_CLASSES = 65_535;
/** Labels between two reports. */
const REPORT = 1000;

export interface LabelCollectorOptions {
  /** Name of the set, for errors. */
  file: string;
  /** The classes there may be, in their order; by default those that occur, ascending. */
  classes?: readonly string[];
  /** Told now and then how many labels there are. */
  progress?: (labels: number) => void;
}

/** The labels of a whole set. */
export interface CollectedLabels {
  /** Names of the classes. */
  names: readonly string[];
  /** [n] Number of the class of each. */
  numbers: Uint16Array;
  /** [n] Part of the split of each; absent where none was given. */
  splits?: readonly (SplitName | undefined)[];
}

/** Collects labels one by one. */
export class LabelCollector {
  readonly #file: string;
  readonly #fixed: readonly string[] | undefined;
  readonly #progress: LabelCollectorOptions["progress"];
  readonly #numbers = new Map<string, number>();
  /** [classes] Where each occurred first, and whether it occurs in training. */
  readonly #firsts: { location: Location; split: SplitName | undefined; trained: boolean }[] = [];
  readonly #labels: number[] = [];
  readonly #splits: (SplitName | undefined)[] = [];

  constructor({ file, classes, progress }: LabelCollectorOptions) {
    this.#file = file;
    this.#fixed = classes;
    this.#progress = progress;
    classes?.forEach((name, number) => this.#numbers.set(name, number));
  }

  /**
   * Takes the label of the next sequence.
   *
   * @throws FormatError for what is no label, or of no class
   */
  add(text: string, split: SplitName | undefined, location: Location): void {
    const name = text.trim();
    const number = this.#numbers.get(name) ?? this.#define(name, location);
    const first = (this.#firsts[number] ??= { location, split, trained: false });
    first.trained ||= split === "train";
    this.#labels.push(number);
    this.#splits.push(split);
    if (this.#labels.length % REPORT === 0) this.#progress?.(this.#labels.length);
  }

  #define(name: string, location: Location): number {
    if (name === "")
      throw new FormatError("label: must not be empty: label or remove the sequence", location);
    if (/[\x00-\x1f\x7f]/.test(name)) {
      throw new FormatError(`label: must be one line without tabs, got ${JSON.stringify(name)}`, location);
    }
    if (this.#fixed) {
      throw new FormatError(
        `label: must be one of the classes ${shortened(this.#fixed)}, got ${JSON.stringify(name)}`,
        location,
      );
    }
    const number = this.#numbers.size;
    if (number === MOST_CLASSES) {
      throw new FormatError(
        `label: must be of at most ${MOST_CLASSES} classes, got more: is this the column of labels?`,
        location,
      );
    }
    // A slice of the file would keep all of it in memory.
    this.#numbers.set(Buffer.from(name).toString(), number);
    return number;
  }

  /**
   * All labels, numbered.
   *
   * @throws FormatError when there are fewer than two classes, or one that training lacks
   */
  finish(): CollectedLabels {
    const splits = this.#splits.some((split) => split !== undefined) ? this.#splits : undefined;
    if (this.#fixed) return { names: this.#fixed, numbers: Uint16Array.from(this.#labels), splits };
    const found = [...this.#numbers.keys()];
    const names = sortedClasses(found);
    if (names.length < 2) {
      throw new FormatError(`labels: must be of at least two classes, got ${JSON.stringify(names[0])} only`, {
        file: this.#file,
      });
    }
    this.#checkTrained(found);
    const places = new Map(names.map((name, place) => [name, place]));
    const place = found.map((name) => places.get(name) ?? 0);
    return { names, numbers: Uint16Array.from(this.#labels, (number) => place[number]), splits };
  }

  /** Throws when there is training data without one of the classes that are to be told apart. */
  #checkTrained(names: readonly string[]): void {
    if (!this.#firsts.some(({ trained }) => trained)) return;
    this.#firsts.forEach(({ location, split, trained }, number) => {
      if (trained || split === undefined) return;
      throw new FormatError(
        `label: must occur in train too, got ${JSON.stringify(names[number])} in ${split} only: ` +
          "remove the class, or split the set again",
        location,
      );
    });
  }
}

/** Class names in ascending order: as numbers where all are whole numbers, else by their letters. */
function sortedClasses(names: readonly string[]): string[] {
  const byLetters = (a: string, b: string) => (a < b ? -1 : 1);
  const whole = names.every((name) => /^[+-]?\d+$/.test(name));
  return names.toSorted((a, b) => (whole && Number(a) - Number(b)) || byLetters(a, b));
}

function shortened(names: readonly string[]): string {
  return names.slice(0, 10).join(", ") + (names.length > 10 ? ", …" : "");
}
