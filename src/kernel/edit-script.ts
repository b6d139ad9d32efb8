/**
 * @file One optimal alignment of two sequences whose edit distance is known.
 *
 * With the distance d known, no optimal path leaves the diagonals within d of the main one (Ukkonen, "Algorithms
 * for approximate string matching", Information and Control 1985), narrowed by the difference in length: a path of
 * d edits that must end on diagonal n − m strays no further than (d − |n − m|) / 2 beyond the two. Only these cells
 * are filled, (m + 1) × (d + 1) bytes of directions at most, and none for what the two begin and end with alike. Where
 * several paths are optimal, the one taken pairs letters rather than leaving them out.
 */
import { FIRST, SECOND } from "./profile.ts";

/** What became of a stretch of letters: `=` equal, `X` replaced, `I` only in the query, `D` only in the target. */
export type EditOperation = "=" | "X" | "I" | "D";

/** An alignment from end to end, and its counts. */
export interface EditScript {
  /** Runs of one operation, from the start. */
  runs: { operation: EditOperation; count: number }[];
  /** Columns in all. */
  columns: number;
  matches: number;
  mismatches: number;
  /** Runs of letters that only one of the two has. */
  gapOpens: number;
}

const PAIR = 0;
const INSERT = 1;
const DELETE = 2;

/**
 * An optimal alignment of `query` and `target`, sequences of codes, `distance` edits apart.
 *
 * @throws RangeError when they are further apart than that
 */
export function editScript(query: Uint8Array, target: Uint8Array, distance: number): EditScript {
  const [m, n] = [query.length, target.length];
  const shorter = Math.min(m, n);
  let prefix = 0;
  while (prefix < shorter && query[prefix] === target[prefix]) prefix++;
  let suffix = 0;
  while (suffix < shorter - prefix && query[m - 1 - suffix] === target[n - 1 - suffix]) suffix++;
  const a = query.subarray(prefix, m - suffix);
  const b = target.subarray(prefix, n - suffix);
  // Where places that differ are all the edits, no letter need be left out.
  const paired = a.length === b.length && differences(a, b) === distance;
  return traced(a, b, paired ? () => PAIR : innerSteps(a, b, distance), { prefix, suffix });
}

/** The last step of a shortest way to cell (i, j), for the cells of the band. */
function innerSteps(
  query: Uint8Array,
  target: Uint8Array,
  distance: number,
): (i: number, j: number) => number {
  const [m, n] = [query.length, target.length];
  const slack = Math.floor((distance - Math.abs(n - m)) / 2);
  if (slack < 0) tooSmall(distance);
  // Diagonals j − i from `low` on; column b of the band is diagonal low + b.
  const low = Math.min(0, n - m) - slack;
  const width = Math.abs(n - m) + 2 * slack + 1;
  const steps = new Uint8Array((m + 1) * width);
  const far = distance + 1;
  // The row above, overwritten from the left; one more column than the band has stays far away.
  const row = new Int32Array(width + 1).fill(far);
  for (let i = 0; i <= m; i++) {
    const letter = query[i - 1];
    let left = far;
    for (let b = 0; b < width; b++) {
      const j = i + low + b;
      let best = far;
      let step = PAIR;
      if (i === 0 || j === 0) {
        best = i === 0 && j >= 0 && j <= n ? j : j === 0 ? i : far;
        step = i === 0 ? DELETE : INSERT;
      } else if (j > 0 && j <= n) {
        best = row[b] + (letter === target[j - 1] ? 0 : 1);
        if (row[b + 1] + 1 < best) {
          best = row[b + 1] + 1;
          step = INSERT;
        }
        if (left + 1 < best) {
          best = left + 1;
          step = DELETE;
        }
      }
      row[b] = best;
      left = best;
      steps[i * width + b] = step;
    }
  }
  if (row[n - m - low] > distance) tooSmall(distance);
  return (i, j) => steps[i * width + j - i - low];
}

function tooSmall(distance: number): never {
  throw new RangeError(`edit script: the sequences must be at most the distance apart, got ${distance}`);
}

/** Places at which two sequences of one length differ. */
function differences(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

function emptyScript(): EditScript {
  return { runs: [], columns: 0, matches: 0, mismatches: 0, gapOpens: 0 };
}

/** Adds `count` columns to the last run, or as a new one. */
function extend(script: EditScript, operation: EditOperation, count: number): void {
  if (count === 0) return;
  script.columns += count;
  if (operation === "=") script.matches += count;
  if (operation === "X") script.mismatches += count;
  const last = script.runs.at(-1);
  if (last?.operation === operation) last.count += count;
  else {
    script.runs.push({ operation, count });
    if (operation === "I" || operation === "D") script.gapOpens++;
  }
}

/** The alignment of `query` (first) and `target` (second) that a path of {@link BOTH}, FIRST and SECOND tells. */
export function scriptOfPath(query: Uint8Array, target: Uint8Array, path: Uint8Array): EditScript {
  const script = emptyScript();
  let [i, j] = [0, 0];
  for (const step of path) {
    extend(script, step === FIRST ? "I" : step === SECOND ? "D" : query[i] === target[j] ? "=" : "X", 1);
    if (step !== SECOND) i++;
    if (step !== FIRST) j++;
  }
  return script;
}

/** Follows the steps back from the end, between what the sequences begin and end with alike. */
function traced(
  query: Uint8Array,
  target: Uint8Array,
  stepAt: (i: number, j: number) => number,
  { prefix, suffix }: { prefix: number; suffix: number },
): EditScript {
  const script = emptyScript();
  const add = (operation: EditOperation, count: number): void => extend(script, operation, count);
  add("=", suffix);
  for (let i = query.length, j = target.length; i > 0 || j > 0;) {
    const step = stepAt(i, j);
    if (step === INSERT) add("I", 1);
    else if (step === DELETE) add("D", 1);
    else add(query[i - 1] === target[j - 1] ? "=" : "X", 1);
    if (step !== DELETE) i--;
    if (step !== INSERT) j--;
  }
  add("=", prefix);
  script.runs.reverse();
  return script;
}

/** The alignment as SAM writes it, with `=` and `X`; empty for two empty sequences. */
export function cigar({ runs }: EditScript): string {
  return runs.map(({ operation, count }) => `${count}${operation}`).join("");
}
