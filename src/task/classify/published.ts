/**
 * @file What others published for the sets of GUE: Matthews' correlation × 100 on the test sequences (SPEC C7).
 *
 * `dnabert2` has 117 million parameters, `dnabert2Further` is the same trained further on the sequences of GUE, and
 * `others` is the best of DNABERT and the variants of the Nucleotide Transformer, of up to 2.5 billion.
 *
 * Source: Zhou et al., "DNABERT-2: efficient foundation model and benchmark for multi-species genome", ICLR 2024.
 */

/** Published numbers of one set. */
export interface PublishedMcc {
  dnabert2: number;
  dnabert2Further: number;
  others: number;
}

/** Rows `others, DNABERT-2, DNABERT-2◆`. */
const GUE: Record<string, [number, number, number]> = {
  emp_h3: [78.77, 78.27, 80.17],
  emp_h3k14ac: [56.2, 52.57, 57.42],
  emp_h3k36me3: [61.99, 56.88, 61.9],
  emp_h3k4me1: [55.3, 50.52, 53],
  emp_h3k4me2: [36.49, 31.13, 39.89],
  emp_h3k4me3: [40.34, 36.27, 41.2],
  emp_h3k79me3: [64.7, 67.39, 65.46],
  emp_h3k9ac: [56.01, 55.63, 57.07],
  emp_h4: [81.67, 80.71, 81.86],
  emp_h4ac: [49.13, 50.43, 50.35],
  prom_300_all: [91.01, 86.77, 88.31],
  prom_300_notata: [94, 94.27, 94.34],
  prom_300_tata: [79.43, 71.59, 68.79],
  prom_core_all: [70.92, 69.37, 67.5],
  prom_core_notata: [71.58, 68.04, 69.53],
  prom_core_tata: [78.15, 74.17, 76.18],
  tf_0: [67.95, 71.99, 69.12],
  tf_1: [73.05, 76.06, 71.87],
  tf_2: [61.03, 66.52, 62.96],
  tf_3: [53.03, 58.54, 55.35],
  tf_4: [71.23, 77.43, 74.94],
  mouse_0: [63.31, 56.76, 64.23],
  mouse_1: [83.76, 84.77, 86.28],
  mouse_2: [72.62, 79.32, 81.28],
  mouse_3: [69.44, 66.47, 73.49],
  mouse_4: [47.07, 52.66, 50.8],
  virus_covid: [73.04, 71.02, 68.49],
  splice_reconstructed: [89.35, 84.99, 85.93],
};

/** On how many sets of how many a hyperbolic network was published to do better than its Euclidean twin. */
export const PUBLISHED_WINS = { won: 37, sets: 42 } as const;

/** Published numbers of a set of GUE by its name: `mouse_2`, or as in the released folders `GUE/mouse/2`. */
export function publishedMcc(name: string): PublishedMcc | undefined {
  const key = name
    .toLowerCase()
    .replaceAll(/[/\\]/g, "_")
    .replace(/^gue_/, "")
    .replace(/^prom_(?=prom_)/, "");
  if (!Object.hasOwn(GUE, key)) return undefined;
  const [others, dnabert2, dnabert2Further] = GUE[key];
  return { dnabert2, dnabert2Further, others };
}
