/**
 * @file What the papers published: %RMSE of edit distances, to stand beside ours (SPEC A15, B8).
 *
 * Tables are kept as they are printed, a row a line, `mean±deviation` or a mean alone, `–` where there is nothing;
 * NeuroSEED's are means of four runs, those of Needleman-Wunsch Attention of three. Numbers of the dimension sweep
 * are read off a figure.
 */

import type { TunedSet } from "../task/presets.ts";

/** A published number. */
export interface Published {
  mean: number;
  /** Standard deviation, where one was published. */
  deviation?: number;
}

/** Published numbers by row and column. */
export type PublishedTable = Readonly<Record<string, Readonly<Record<string, Published>>>>;

/** Reads rows of numbers, separated by slashes, in the order of the columns. */
function table(columns: readonly string[], rows: Record<string, string>): PublishedTable {
  return Object.fromEntries(
    Object.entries(rows).map(([row, text]) => {
      const numbers = text.split("/").map((each, i): [string, Published][] => {
        const [mean, deviation] = each.split("±").map(Number);
        if (Number.isNaN(mean)) return [];
        return [[columns[i], deviation === undefined ? { mean } : { mean, deviation }]];
      });
      return [row, Object.fromEntries(numbers.flat())];
    }),
  );
}

const GEOMETRIES = ["cosine", "euclidean", "square", "manhattan", "hyperbolic"];

/** NeuroSEED's errors on its four data sets, by model and geometry; FFP has one distance and no geometry. */
export const NEUROSEED_RMSE: Record<TunedSet, PublishedTable> = {
  qiita: {
    ...table(GEOMETRIES, {
      "2-mer": "21.222/11.752/30.453/11.639/10.481",
      "3-mer": "12.352/7.962/32.219/7.439/6.657",
      "4-mer": "6.006/7.015/34.098/5.636/6.728",
      "5-mer": "5.027/7.638/34.559/5.391/7.600",
      "6-mer": "5.723/8.383/34.616/5.844/8.275",
      linear: "3.38±.06/4.39±.09/5.83±.21/3.82±.09/2.50±.01",
      mlp: "4.98±.11/4.36±.19/8.52±.78/4.92±.10/1.85±.02",
      cnn: "2.54±.04/2.68±.05/5.03±.85/4.06±.21/1.56±.01",
      gru: "–/3.30±.06/5.52±.15/3.74±.01/2.60±.16",
      "global-transformer": "2.61±.01/2.10±.05/3.71±.04/2.57±.11/1.83±.03",
      "local-transformer": "2.67±.04/2.42±.02/3.72±.06/2.46±.02/1.86±.02",
    }),
    ...table(["jensen-shannon"], { "ffp-8": "20.42", "ffp-9": "17.53", "ffp-10": "16.16" }),
  },
  rt988: {
    ...table(GEOMETRIES, {
      "2-mer": "7.782/4.927/8.000/5.036/4.859",
      "3-mer": "3.392/3.351/3.520/2.987/3.308",
      "4-mer": "1.790/3.314/1.899/2.318/3.294",
      "5-mer": "1.409/3.449/1.422/1.801/3.470",
      "6-mer": "1.471/3.710/1.450/1.686/3.730",
      linear: ".62±.03/21.36±7.07/27.28±10.89/–/.51±.01",
      mlp: "1.57±.16/1.10±.05/6.78±2.50/1.01±.04/.59±.20",
      cnn: ".69±.03/.58±.05/2.95±1.09/.98±.06/.59±.01",
      gru: "14.90±4.56/1.10±.11/1.96±.47/1.13±.15/2.56±3.33",
      "global-transformer": ".49±.01/.52±.01/.88±.02/.44±.01/.46±.01",
      "local-transformer": ".51±.03/.57±.00/.58±.02/.48±.01/.45±.01",
    }),
    ...table(["jensen-shannon"], { "ffp-8": "12.03", "ffp-9": "11.86", "ffp-10": "10.80" }),
  },
  greengenes: {
    // Of the k-mer distances the best was published, and of the networks' the usual one and the best.
    ...table(["cosine"], { "4-mer": "5.93", "5-mer": "3.60", "6-mer": "3.15" }),
    ...table(["euclidean", "hyperbolic"], {
      linear: "1155.74±18.34/2.70±.01",
      mlp: "4.38±.13/2.53±.03",
      cnn: "1.37±.04/1.00±.01",
      gru: "1.61±.02/1.18±.16",
      "global-transformer": "2.09±.03/1.91±.07",
      "local-transformer": "1.85±.04/1.89±.05",
    }),
    ...table(["jensen-shannon"], { "ffp-8": "10.26", "ffp-9": "8.63", "ffp-10": "14.13" }),
  },
  synthetic: table(GEOMETRIES, {
    "2-mer": "10.49/7.11/10.53/7.28/7.11",
    "3-mer": "5.71/6.02/5.81/6.01/5.99",
    "4-mer": "3.74/6.24/3.87/5.92/6.23",
    "5-mer": "3.92/6.75/3.97/5.72/6.75",
    "6-mer": "4.71/7.26/4.72/5.37/7.31",
    linear: "4.77/33.90/5.25/–/6.50",
    mlp: "9.79/9.40/7.74/9.82/10.71",
    cnn: "4.18/4.93/4.93/5.48/4.60",
    gru: "6.30/5.11/5.60/5.68/8.54",
    "global-transformer": "4.51/4.74/5.23/4.67/4.75",
    "local-transformer": "4.45/4.86/5.05/4.87/4.49",
  }),
};

/** NeuroSEED's global transformer on Qiita's reads by geometry and dimension. */
export const NEUROSEED_DIMENSION: PublishedTable = table(["4", "8", "16", "32", "48", "80", "128"], {
  hyperbolic: "2.93/2.44/2.18/1.91/1.86/–/1.86",
  euclidean: "–/–/4.53/3.15/2.58/2.21/2.15",
  manhattan: "–/–/5.31/3.9/–/–/2.63",
  cosine: "–/–/–/5.37/–/–/2.62",
  square: "–/–/–/–/5.4/–/3.71",
});

const WITH_AND_WITHOUT = ["without", "with"];

/** Errors of Needleman-Wunsch Attention on Qiita's reads, without and with its regulariser, by dimension. */
export const NWA_RMSE: Record<number, { all: PublishedTable; homologous: PublishedTable }> = {
  128: {
    all: table(WITH_AND_WITHOUT, {
      transformer: "1.84±.02/1.79±.01",
      cnn: "1.55±.01/1.52±.01",
      dsee: "3.92±.15/3.73±.05",
    }),
    homologous: table(WITH_AND_WITHOUT, {
      transformer: "1.73±.05/1.63±.02",
      cnn: "1.29±.02/1.29±.02",
      dsee: "1.92±.05/1.85±.11",
    }),
  },
  256: {
    all: table(WITH_AND_WITHOUT, {
      transformer: "1.75±.05/1.70±.02",
      cnn: "1.51±.01/1.47±.01",
      dsee: "3.99±.17/3.91±.15",
    }),
    homologous: table(WITH_AND_WITHOUT, {
      transformer: "1.64±.02/1.62±.04",
      cnn: "1.32±.04/1.27±.03",
      dsee: "1.92±.06/1.89±.09",
    }),
  },
};

/** NeuroSEED's closest-string retrieval: percent of queries whose nearest reference is among the first 1, 5 and 10. */
export const NEUROSEED_RETRIEVAL: PublishedTable = table(["top-1", "top-5", "top-10"], {
  "6-mer cosine": "45.5/62.7/68.2",
  "linear hyperbolic": "43.2/63.7/71.4",
  "mlp hyperbolic": "43.4/67.9/78.2",
  "cnn cosine": "47.0/75.5/84.2",
  "cnn euclidean": "40.0/65.3/75.2",
  "cnn hyperbolic": "50.1/77.2/85.9",
  "gru euclidean": "36.5/62.0/71.7",
  "global-transformer cosine": "51.3/75.9/84.5",
  "global-transformer hyperbolic": "49.5/75.5/84.0",
  "local-transformer cosine": "49.8/75.0/84.4",
});

/** Triples of NeuroSEED's relaxed clusterings: powers of the number N of sequences. */
export const RELAXED_POWERS = [0.5, 0.75, 1, 1.25, 1.5] as const;

/**
 * NeuroSEED's relaxed clusterings of Qiita's reads: Dasgupta's cost above average linkage of exact distances, percent,
 * read off a figure. Single linkage of exact distances costs 0.61 more, complete 0.41.
 */
export const NEUROSEED_RELAXED: PublishedTable = table(RELAXED_POWERS.map(String), {
  "linear, rank 10": "1.31/.40/.36/.21/.20",
  "linear, rank 2": "2.33/.66/.38/.25/.23",
  "embeddings, rank 10": "–/–/–/1.71/.22",
  "embeddings, rank 2": "–/–/–/1.20/.38",
});
