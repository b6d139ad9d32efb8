/** @file `embranch bench papers --table hge-conditions`: classifiers of sequences that were simulated on trees. */

import {
  chooseConditions,
  conditionGrid,
  conditionSet,
  type ConditionGrid,
} from "../bench/hge-conditions.ts";
import type { Device } from "../engine/run.ts";
import { CLASSIFIER_NAMES } from "../nn/classifier.ts";
import type { BenchmarkBudget } from "../task/classify/benchmark.ts";
import { benchmarkRun } from "./benchmark-run.ts";
import type { CommonOptions } from "./options.ts";

/** Options of `bench papers` that apply to this table. */
export interface ConditionsCliOptions extends CommonOptions {
  grid: ConditionGrid;
  output: string;
  budget: BenchmarkBudget;
  seeds: readonly number[];
  /** Tasks, scales such as `s=0.2`, and models. */
  only?: readonly string[];
  recipe: "default" | "paper";
  device: Device;
}

const TABLE = "hge-conditions";

const ABOUT =
  "Sequences of two classes are simulated (SPEC C6): on two trees with roots of their own (inter-tree), in two sister clades (intra-tree), on a tree and on a star as old and as diverse (tree-star), or in no relation, one class with a motif of 12 letters (motif). Lineages split at rate 1, die at rate `death`, and change by s substitutions a site in a unit of time. Parts of the split are disjoint in clades of at most a twentieth of a class. Each seed has data of its own.";

/** Makes the table; `line` is the command line as it was given. */
export async function benchConditions(options: ConditionsCliOptions, line: string): Promise<void> {
  const { grid, budget, recipe, seeds, only = [], threads } = options;
  const names = only.length === 0 ? [] : CLASSIFIER_NAMES.filter((name) => only.includes(name));
  const words = only.filter((word) => !(names as string[]).includes(word));
  const conditions = chooseConditions(conditionGrid(grid), words);
  await benchmarkRun(
    {
      sets: conditions.map((condition) => conditionSet(condition, { threads })),
      models: (names.length === 0 ? CLASSIFIER_NAMES : names).map((name) => ({ name })),
      seeds,
      settings: { budget, recipe },
    },
    {
      ...options,
      title: "Hyperbolic genome embeddings: classifiers under data-generating conditions",
      label: TABLE,
      about: ABOUT,
      results: TABLE,
      table: TABLE,
      line,
    },
  );
}
