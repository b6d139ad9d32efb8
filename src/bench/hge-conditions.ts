/**
 * @file The data-generating study of SPEC C6 as a benchmark: classifiers on simulated classes, with δ_rel of the data.
 *
 * The grid is that of condition-data.ts. Each seed has data of its own, since trees differ more than trainings do; all
 * models have the same.
 */

import { UsageError } from "../error.ts";
import { CLASSIFIER_NAMES } from "../nn/classifier.ts";
import { Random } from "../sequence/index.ts";
import type { BenchmarkSet } from "../task/classify/benchmark.ts";
import { factsOf } from "../task/classify/benchmark-files.ts";
import type { LabelledSet } from "../task/classify/dataset.ts";
import { dataDigest } from "../task/classify/digest.ts";
import { gromov } from "../task/hyperbolicity/gromov.ts";
import { sequenceMetric } from "../task/hyperbolicity/metric.ts";
import { CONDITION_TASKS, conditionData, type Condition } from "./condition-data.ts";

export const CONDITION_GRIDS = ["reduced", "full"] as const;
export type ConditionGrid = (typeof CONDITION_GRIDS)[number];

/** Substitutions a site in a unit of time. */
const SCALES = [0.05, 0.2, 1];
/** Sequences of a class. */
const TIPS = 800;
/** Sequences whose δ is measured. */
const SAMPLE = 100;

/** The conditions of a grid: `reduced` varies the task and the divergence, `full` all else too. */
export function conditionGrid(grid: ConditionGrid): Condition[] {
  const full = grid === "full";
  const some = <Value>(first: Value, ...more: Value[]): Value[] => (full ? [first, ...more] : [first]);
  return CONDITION_TASKS.flatMap((task) =>
    some(TIPS, TIPS / 4).flatMap((tips) =>
      some<Condition["model"]>("JC69", "HKY85").flatMap((model) =>
        some(200, 500, 1000).flatMap((length) =>
          (task === "motif" ? [0] : some(0, 0.5)).flatMap((death) =>
            SCALES.map((scale): Condition => ({ task, death, model, length, scale, tips })),
          ),
        ),
      ),
    ),
  );
}

/** The conditions that words choose: those of the tasks that are named, if any is, and of the scales `s=0.2`. */
export function chooseConditions(
  conditions: readonly Condition[],
  words: readonly string[],
): readonly Condition[] {
  const scaleWord = ({ scale }: Condition) => `s=${scale}`;
  const kinds = [
    { known: new Set<string>(CONDITION_TASKS), of: ({ task }: Condition): string => task },
    { known: new Set(conditions.map(scaleWord)), of: scaleWord },
  ];
  const unknown = words.find((word) => !kinds.some(({ known }) => known.has(word)));
  if (unknown !== undefined) {
    const known = [...kinds.flatMap((kind) => [...kind.known]), ...CLASSIFIER_NAMES].join(", ");
    throw new UsageError(`--only: must be of ${known}, got "${unknown}"`);
  }
  return conditions.filter((condition) =>
    kinds.every(({ known, of }) => !words.some((word) => known.has(word)) || words.includes(of(condition))),
  );
}

/** A condition in words. */
export function conditionName({ task, death, model, length, scale, tips }: Condition): string {
  const dying = task === "motif" ? [] : [`death ${death}`];
  return [task, `s ${scale}`, ...dying, model, `${length} letters`, `2 × ${tips}`].join(", ");
}

/** A condition as a set of a benchmark. */
export function conditionSet(condition: Condition, options: { threads?: number } = {}): BenchmarkSet {
  const name = conditionName(condition);
  /** By seed. What makes the data may change, so that what is made is what tells them apart. */
  const digests = new Map<number, string>();
  return {
    name,
    training: Math.round(1.3 * condition.tips),
    longest: condition.length,
    data: (seed) => {
      const digest = digests.get(seed) ?? dataDigest(conditionData(condition, seed).labelled);
      digests.set(seed, digest);
      return digest;
    },
    load: async (seed) => {
      const { labelled } = conditionData(condition, seed);
      const relativeDelta = await sampleDelta(labelled, seed, options);
      return { labelled, facts: { ...factsOf(labelled, "nothing"), relativeDelta } };
    },
  };
}

/** δ_rel of the edit distances of a sample of the sequences. */
async function sampleDelta(
  { set }: LabelledSet,
  seed: number,
  { threads }: { threads?: number },
): Promise<number> {
  const metric = await sequenceMetric(set, { threads });
  try {
    const size = Math.min(SAMPLE, metric.count);
    const sample = new Random(seed).fork("delta").sample(metric.count, size);
    const { relative } = await gromov(await metric.distances(sample), { threads });
    return relative.upper;
  } finally {
    await metric.close();
  }
}
