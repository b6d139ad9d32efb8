/**
 * @file One optimal alignment of two sequences whose edit distance is known.
 *
 * With the distance d known, no optimal path leaves the diagonals within d of the main one (Ukkonen, "Algorithms
 * for approximate string matching", Information and Control 1985), narrowed by the difference in length: a path of
 * d edits that must end on diagonal n − m strays no further than (d − |n − m|) / 2 beyond the two. Only these cells
 * are filled, (m + 1) × (d + 1) bytes of directions at most. Where several paths are optimal, the one taken pairs
 * letters rather than leaving them out, and leaves out what it must as late as it can, seen from the start.
 */

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
  if (m === n && differences(query, target) === distance) return traced(query, target, () => PAIR);
  const slack = Math.floor((distance - Math.abs(n - m)) / 2);
  if (slack < 0)
    throw new RangeError(`edit script: distance must be at least ${Math.abs(n - m)}, got ${distance}`);
  // Diagonals j − i from `low` on; column b of the band is diagonal low + b.
  const low = Math.min(0, n - m) - slack;
  const width = Math.abs(n - m) + 2 * slack + 1;
  const steps = new Uint8Array((m + 1) * width);
  const FAR = distance + 1;
  let above = new Int32Array(width + 1).fill(FAR);
  let row = new Int32Array(width + 1).fill(FAR);
  for (let i = 0; i <= m; i++) {
    const letter = query[i - 1];
    for (let b = 0; b < width; b++) {
      const j = i + low + b;
      if (j < 0 || j > n) {
        row[b] = FAR;
        continue;
      }
      if (i === 0 || j === 0) {
        row[b] = i + j;
        steps[i * width + b] = i === 0 ? DELETE : INSERT;
        continue;
      }
      let best = above[b] + (letter === target[j - 1] ? 0 : 1);
      let step = PAIR;
      const inserted = above[b + 1] + 1;
      if (inserted < best) {
        best = inserted;
        step = INSERT;
      }
      const deleted = b === 0 ? FAR : row[b - 1] + 1;
      if (deleted < best) {
        best = deleted;
        step = DELETE;
      }
      row[b] = best;
      steps[i * width + b] = step;
    }
    [above, row] = [row, above];
  }
  if (above[n - m - low] > distance) {
    throw new RangeError(`edit script: the sequences are further apart than ${distance}`);
  }
  return traced(query, target, (i, j) => steps[i * width + j - i - low]);
}

/** Places at which two sequences of one length differ: where these are all edits, no letter need be left out. */
function differences(a: Uint8Array, b: Uint8Array): number {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
}

/** Follows the steps back from the end. */
function traced(query: Uint8Array, target: Uint8Array, stepAt: (i: number, j: number) => number): EditScript {
  const runs: EditScript["runs"] = [];
  const counts: Record<EditOperation, number> = { "=": 0, X: 0, I: 0, D: 0 };
  let i = query.length;
  let j = target.length;
  let gapOpens = 0;
  while (i > 0 || j > 0) {
    const step = stepAt(i, j);
    const operation =
      step === INSERT ? "I" : step === DELETE ? "D" : query[i - 1] === target[j - 1] ? "=" : "X";
    if (step !== DELETE) i--;
    if (step !== INSERT) j--;
    counts[operation]++;
    const last = runs.at(-1);
    if (last?.operation === operation) last.count++;
    else {
      runs.push({ operation, count: 1 });
      if (step !== PAIR) gapOpens++;
    }
  }
  runs.reverse();
  const { "=": matches, X: mismatches, I, D } = counts;
  return { runs, columns: matches + mismatches + I + D, matches, mismatches, gapOpens };
}

/** The alignment as SAM writes it, with `=` and `X`; empty for two empty sequences. */
export function cigar({ runs }: EditScript): string {
  return runs.map(({ operation, count }) => `${count}${operation}`).join("");
}
