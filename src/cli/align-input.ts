/**
 * @file What `embranch align` reads: sequences with their letters as they stand, alignments, scores.
 */

import type { Command } from "commander";
import type { Model } from "../engine/model-file.ts";
import { UsageError } from "../error.ts";
import type { Scoring } from "../kernel/scoring.ts";
import { readAlignment, type AlignedSequences } from "../sequence/aligned.ts";
import { DNA, PROTEIN, type Alphabet, type AlphabetName, type SequenceSet } from "../sequence/index.ts";
import { MATRIX_NAMES, parseMatrix, type MatrixName } from "../sequence/substitution-matrix.ts";
import { createScoring } from "../task/align/scoring.ts";
import { openInput } from "./input.ts";
import { loadSequences, readBytes } from "./load.ts";
import { notNegative, share } from "./options.ts";

/** Sequences, and what they are written with again: letters in their case, U or T as they stand. */
export interface LetteredSet {
  set: SequenceSet;
  letters: string[];
  descriptions: string[];
}

/** Reads a file of sequences (`-` is standard input), as `loadSequences` does. */
export async function loadLettered(
  path: string,
  options: { model?: Model; alphabet?: AlphabetName | Alphabet; quiet?: boolean },
): Promise<LetteredSet> {
  const letters: string[] = [];
  const descriptions: string[] = [];
  const set = await loadSequences(path, {
    ...options,
    onRecord: ({ sequence, description }) => {
      letters.push(sequence);
      descriptions.push(description);
    },
  });
  return { set, letters, descriptions };
}

/** Reads a file of aligned sequences, plain or gzip (`-` is standard input). */
export async function loadAlignment(path: string): Promise<AlignedSequences & { name: string }> {
  const input = await openInput(path);
  try {
    return { name: input.name, ...(await readAlignment(input.bytes, { file: input.name })) };
  } finally {
    await input.close();
  }
}

/** Options of how letters and gaps score. */
export interface ScoringCliOptions {
  matrix?: string;
  gapOpen?: number;
  gapExtend?: number;
  endGaps?: number;
}

/** Adds `--matrix`, `--gap-open`, `--gap-extend` and `--end-gaps`. */
export function withScoring(command: Command): Command {
  const usual = [createScoring(PROTEIN), createScoring(DNA), createScoring(DNA, {}, { pairwise: true })];
  const defaults = (of: (scoring: Scoring) => number): string => {
    const [proteins, nucleotides, pairs] = usual.map(of);
    const several = proteins === nucleotides ? "" : ` for proteins, ${nucleotides} for nucleotides`;
    return `(default: ${proteins}${several}; pairs ${pairs})`;
  };
  return command
    .option(
      "--matrix <name>",
      `scores of letters: ${MATRIX_NAMES.join(", ")}, or a file laid out as NCBI's are (default: BLOSUM62 for proteins, NUC for nucleotides)`,
    )
    .option(
      "--gap-open <x>",
      `what a gap takes off, besides its letters ${defaults(({ gapOpen }) => gapOpen)}`,
      notNegative,
    )
    .option(
      "--gap-extend <x>",
      `what each letter of a gap takes off ${defaults(({ gapExtend }) => gapExtend)}`,
      notNegative,
    )
    .option(
      "--end-gaps <x>",
      `share of both that gaps at the ends take off, 0 to 1 ${defaults(({ endGaps }) => endGaps)}`,
      share,
    );
}

/** Whether any of these options was given. */
export function scoringGiven({ matrix, gapOpen, gapExtend, endGaps }: ScoringCliOptions): boolean {
  return [matrix, gapOpen, gapExtend, endGaps].some((option) => option !== undefined);
}

/** The scoring that the options ask for; reads the file of `--matrix`. */
export async function loadScoring(
  { matrix, ...penalties }: ScoringCliOptions,
  alphabet: Alphabet,
  { pairwise = false }: { pairwise?: boolean } = {},
): Promise<Scoring> {
  const known = MATRIX_NAMES.find((name) => name === matrix?.toUpperCase());
  const scores: MatrixName | Float32Array | undefined =
    known ?? (matrix === undefined ? undefined : await loadMatrixFile(matrix, alphabet));
  return createScoring(alphabet, { ...penalties, matrix: scores }, { pairwise });
}

async function loadMatrixFile(path: string, alphabet: Alphabet): Promise<Float32Array> {
  // A word without an ending or a folder is more likely a name that was misspelt than a file.
  const { name, bytes } = await readBytes(path).catch((error: unknown) => {
    if (/[./\\]/.test(path)) throw error;
    throw new UsageError(`--matrix: must be one of ${MATRIX_NAMES.join(", ")} or a file, got "${path}"`, {
      cause: error,
    });
  });
  return parseMatrix(new TextDecoder().decode(bytes), { file: name, alphabet });
}
