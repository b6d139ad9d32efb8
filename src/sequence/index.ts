/**
 * @file Sequences: alphabets, file formats, data sets, splits, trees on paper, simulated evolution.
 *
 * Nothing here needs Node: the browser uses the same code.
 */

export {
  alphabetNamed,
  decode,
  DNA,
  encode,
  guessAlphabet,
  PROTEIN,
  tokenBatch,
  tokens,
  type Alphabet,
  type AlphabetName,
  type Encoded,
} from "./alphabet.ts";
export { type SequenceRecord } from "./record.ts";
export { readSequences, type ReadSequencesOptions, type SequenceFormat } from "./read.ts";
export { textLines } from "./text-lines.ts";
export { type ByteSource } from "./text.ts";
export { formatFasta, type FormatFastaOptions } from "./fasta.ts";
export { formatFastq } from "./fastq.ts";
export { formatCsvHeader, formatCsvRow } from "./csv.ts";
export { formatLine } from "./lines.ts";
export { formatNewick, formatNewickName, leafNames, parseNewick, type TreeNode } from "./newick.ts";
export { collect, subset, type CollectOptions, type SequenceSet } from "./sequence-set.ts";
export { findUniques, type Uniques } from "./uniques.ts";
export { drawChanges, mutate, syntheticBatch, type SyntheticBatchOptions } from "./mutate.ts";
export { birthDeathTree, type BinaryTree, type BirthDeathOptions } from "./birth-death.ts";
export { substitutionModel, type SubstitutionModel, type SubstitutionModelOptions } from "./substitution.ts";
export { simulate, type SimulateOptions, type Simulation } from "./simulate.ts";
export { Random } from "./random.ts";
