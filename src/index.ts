/**
 * @file The library: what `import { … } from "embranch"` gives.
 *
 * The verbs of the command line are functions here, on data in memory or on streams; nothing touches files but
 * `Model.load` and the checkpoints of `fit`. Options come last; anything long takes an `AbortSignal` and a
 * progress callback.
 */

// Sequences: alphabets, files, data sets, simulated evolution.
export {
  alphabetNamed,
  collect,
  decode,
  DNA,
  encode,
  formatFasta,
  formatNewick,
  guessAlphabet,
  parseNewick,
  PROTEIN,
  Random,
  readSequences,
  simulate,
  subset,
  findUniques,
  type Alphabet,
  type AlphabetName,
  type ByteSource,
  type CollectOptions,
  type SequenceRecord,
  type SequenceSet,
  type SimulateOptions,
  type Simulation,
  type TreeNode,
} from "./sequence/index.ts";
export { condensedIndex, condensedLength, condensedPair, type PairList } from "./sequence/condensed.ts";

// Exact edit distances.
export {
  EditDistances,
  editDistance,
  packCodes,
  parseCosts,
  type Costs,
  type Distances,
  type EditDistanceOptions,
  type PackedCodes,
  type RequestOptions,
  cigar,
  editScript,
  type EditScript,
} from "./kernel/index.ts";

// Distances without alignment or training.
export {
  countKmers,
  type CountKmersOptions,
  type KmerProfiles,
  type PairOptions,
} from "./baseline/profile.ts";
export { KMER_DISTANCES, kmerDistances, type KmerDistance } from "./baseline/kmer.ts";
export { ffpDistances } from "./baseline/ffp.ts";
export { fitScale } from "./baseline/scale.ts";

// Spaces to embed in.
export {
  createSpace,
  GEOMETRY_NAMES,
  geometricMedian,
  meanDistance,
  type GeometryName,
  type MedianOptions,
  type Space,
  type SpaceOptions,
} from "./geometry/index.ts";

// Models, and training them.
export { fit, type FitOptions, type FitPlan, type FitResult } from "./task/fit.ts";
export { Interrupted, type HistoryEntry, type TrainProgress, type TrainResult } from "./engine/training.ts";
export { AttentionModel, attentionPath, Model, readManifest, type Manifest } from "./engine/model-file.ts";
export { DecoderModel, decoderPath } from "./engine/decoder-model.ts";
export { DECODER_NAMES, type DecoderName, type DecoderOptions } from "./nn/decoder.ts";
export { ENCODER_NAMES, type EncoderName, type EncoderOptions } from "./nn/encoder.ts";
export { LOSS_NAMES, type LossName, type LossOptions } from "./nn/losses.ts";
export { type RegularizerOptions } from "./nn/regularizer.ts";
export { PRESET_NAMES, presetOptions, type PresetOptions } from "./task/presets.ts";
export { attentionMaps, type PairMaps } from "./task/attention.ts";
export { attentionFigure, type AttentionFigureOptions, type AttentionMaps } from "./task/attention-figure.ts";
export { type Recipe } from "./engine/recipe.ts";
export { type Device, type ProgramOptions } from "./engine/run.ts";

// What models are for.
export { embed, embedRecords, type EmbeddedBlock, type EmbedOptions } from "./task/embed.ts";
export {
  embeddedDistances,
  exactDistances,
  type EmbeddedOptions,
  type ExactOptions,
} from "./task/distance.ts";
export {
  evaluate,
  measure,
  type DistancePairs,
  type EvaluateOptions,
  type Evaluation,
} from "./task/evaluate.ts";
export { baseline, type BaselineOptions, type BaselineReport, type BaselineResult } from "./task/baseline.ts";
export { readPoints, writePoints, type Points, type PointsFormat, type PointsWriter } from "./task/points.ts";

// The nearest references of any sequence.
export {
  indexStore,
  type BuildOptions,
  type IndexStore,
  type IndexSummary,
  type ModelBytes,
  type OpenIndex,
  type OpenOptions,
} from "./task/search/store.ts";
export { referencesInMemory } from "./task/search/memory.ts";
export { type References } from "./task/search/references.ts";
export {
  search,
  type Hit,
  type QueryHits,
  type SearchOptions,
  type SearchTools,
} from "./task/search/search.ts";
export { RecallCheck, type RecallEstimate, type RecallOptions } from "./task/search/recall.ts";
export { consensusOf, readTaxonomy, type Consensus } from "./task/search/taxonomy.ts";

// Classes of sequences.
export {
  findLabelled,
  ofSplit,
  readLabelled,
  type LabelledSet,
  type ReadLabelledOptions,
  type SplitName,
} from "./task/classify/dataset.ts";
export { copiesOfTraining, devSplit, randomSplit } from "./task/classify/splits.ts";
export {
  classifyFit,
  type ClassifyFitOptions,
  type ClassifyFitResult,
  type ClassifyPlan,
} from "./task/classify/fit.ts";
export { ClassifierFile, type Classifications, type ClassifierManifest } from "./engine/classifier-file.ts";
export { type ClassifierRecipe } from "./engine/classifier-trainer.ts";
export { CLASSIFIER_NAMES, type ClassifierName, type ClassifierOptions } from "./nn/classifier.ts";
export {
  classificationScores,
  type ClassificationScores,
  type Predictions,
} from "./task/classify/metrics.ts";
export { bootstrapIntervals, type Intervals } from "./task/classify/bootstrap.ts";

// The string in the middle of many.
export {
  steinerConsensus,
  steinerStrings,
  type SteinerOptions,
  type SteinerString,
} from "./task/consensus/steiner.ts";
export { localMedian } from "./task/consensus/local-median.ts";

// Flat clusters.
export { cluster, type ClusterMethod, type Clustering, type ClusterOptions } from "./task/cluster/cluster.ts";
export {
  formatAbundances,
  formatClstr,
  formatClusterTable,
  formatReads,
  formatRepresentatives,
  formatUc,
} from "./task/cluster/tables.ts";
export { cutLinkage } from "./task/cluster/cut.ts";
export { adjustedRand, majorityAccuracy, recoveredClusters } from "./task/cluster/agreement.ts";

// Alignments.
export { alignedRow, alignmentOfRows, type Alignment } from "./sequence/alignment.ts";
export {
  formatAlignment,
  readAlignment,
  type AlignedSequences,
  type AlignmentFormat,
} from "./sequence/aligned.ts";
export { matrixScores, parseMatrix, type MatrixName } from "./sequence/substitution-matrix.ts";
export type { Scoring } from "./kernel/scoring.ts";
export { alignSequences, type AlignOptions, type GuidedAlignment } from "./task/align/align.ts";
export { addSequences, type AddOptions } from "./task/align/add.ts";
export { alignPairs, type AlignPairsOptions, type PairAlignment } from "./task/align/pairwise.ts";
export { createScoring, type ScoringOptions } from "./task/align/scoring.ts";
export { guideTree, type GuideOptions } from "./task/align/guide-tree.ts";
export { alignWith, EXTERNAL_ALIGNERS, type ExternalAligner } from "./task/align/external.ts";
export { mafftGuide, newickGuide } from "./task/align/guide-formats.ts";
export { alignmentCost, clustalwScore } from "./task/align/cost.ts";
export { compareAlignments, type AlignmentComparison } from "./task/align/score.ts";

// The string behind a group of reads, or in its middle.
export {
  consensusStrings,
  type ConsensusMethod,
  type ConsensusOptions,
  type ConsensusString,
} from "./task/consensus/consensus.ts";
export { readGroups, type Groups } from "./task/consensus/groups.ts";
export { consensusError, greedyMedian, medoid, quickMedian } from "./baseline/median-string.ts";

// Trees.
export { linkage, neighborJoining } from "./kernel/index.ts";
export type {
  JoinedTree,
  Linkage,
  LinkageMethod,
  LinkageOptions,
  NeighborJoiningOptions,
} from "./kernel/index.ts";
export {
  distanceTree,
  sequenceTree,
  type BuiltTree,
  type TreeMethod,
  type TreeOptions,
} from "./task/tree/tree.ts";
export { coarseLinkage, type CoarseLinkageOptions } from "./task/tree/coarse-linkage.ts";
export { compactTree, linkageTree, treeNodes, type CompactTree } from "./task/tree/compact-tree.ts";
export {
  relaxedDasgupta,
  type RelaxedClustering,
  type RelaxedOptions,
  type RelaxedProgress,
} from "./task/tree/relaxed.ts";
export { diskFigure, type DiskFigureOptions } from "./task/tree/disk-figure.ts";
export { midpointRoot } from "./task/tree/rooting.ts";
export { dasguptaCost } from "./task/tree/dasgupta.ts";
export { compareTrees, type CompareOptions, type TreeComparison } from "./task/tree/compare.ts";

// How tree-like things are.
export {
  hyperbolicity,
  type Hyperbolicity,
  type HyperbolicityOptions,
  type ReferenceDelta,
  type SampleDelta,
  type SampledDelta,
} from "./task/hyperbolicity/hyperbolicity.ts";
export { gromov, type Gromov, type GromovSummaryOptions } from "./task/hyperbolicity/gromov.ts";
export {
  matrixMetric,
  sequenceMetric,
  type Metric,
  type SequenceMetric,
} from "./task/hyperbolicity/metric.ts";
export { pointMetric, spaceMetric } from "./task/hyperbolicity/point-metric.ts";
export { PathMetric, randomTreeDistances } from "./task/hyperbolicity/tree-metric.ts";
export {
  curvedCoordinates,
  curvedDistances,
  curvedPoints,
  type CurvedOptions,
  type CurvedPoints,
} from "./task/hyperbolicity/constant-curvature.ts";
export { REFERENCES, type Reference } from "./task/hyperbolicity/bank.ts";
export { hyperbolicityFigure, type HyperbolicityFigureOptions } from "./task/hyperbolicity/figure.ts";

// Parts of a data set that do not leak into each other.
export {
  divideBy,
  formatSplit,
  parseSplit,
  splitSequences,
  type SplitOptions,
  type SplitParts,
  type Splitting,
} from "./task/split.ts";
export { nearestTraining, summariseLeakage, type Leakage, type Nearest } from "./task/leakage.ts";

// What goes wrong.
export { EmbranchError, FormatError, UsageError, type Location } from "./error.ts";
export { VERSION } from "./version.ts";
