/**
 * @file The frame of every training step: an objective in, a pure function from state and batch to the next state out.
 *
 * What is learned is the objective's (train-step.ts for distances, classifier-step.ts for classes, dasgupta-step.ts for
 * trees); its gradient, the optimiser and the running statistics are the same for all.
 */

import { numpy as np, valueAndGrad } from "@jax-js/jax";
import type { Layout } from "./layout.ts";
import type { Spec, SpecTree } from "./lower.ts";
import { HYPERPARAMETERS, type AdamOptions, type AdamState, type ParameterGroups } from "./optimizer.ts";
import { riemannianAdam } from "./riemannian.ts";

/** Everything a step reads and replaces. */
export interface TrainState<T> {
  [name: string]: T;
  parameters: T;
  mean: T;
  square: T;
  average: T;
  statistics: T;
  /** Exponential average of the statistics, to go with the averaged parameters. */
  averageStatistics: T;
}

/** Names of the state's vectors, in the order that a step takes and returns them. */
export const STATE_NAMES = [
  "parameters",
  "mean",
  "square",
  "average",
  "statistics",
  "averageStatistics",
] as const;

/** The state that training starts from. */
export function initialState(parameters: Float32Array, statistics: Float32Array): TrainState<Float32Array> {
  const zeros = new Float32Array(parameters.length);
  return {
    parameters,
    mean: zeros,
    square: zeros,
    average: parameters,
    statistics,
    averageStatistics: statistics,
  };
}

/** What is trained. */
interface Layouts {
  parameters: Layout;
  statistics: Layout;
}

/** The shapes of a step's state. */
function stateSpecs({ parameters, statistics }: Layouts): SpecTree {
  const vector = ({ size }: { size: number }): Spec => ({ shape: [size], type: "float32" });
  return {
    parameters: vector(parameters),
    mean: vector(parameters),
    square: vector(parameters),
    average: vector(parameters),
    statistics: vector(statistics),
    averageStatistics: vector(statistics),
  };
}

/**
 * How a step ends, once it has its gradient and new statistics: the gradient's norm and the new state, in the order of
 * `STATE_NAMES`. Consumes all arrays.
 */
function advanced(
  { averageStatistics, ...moments }: AdamState,
  { gradient, statistics, numbers }: Record<"gradient" | "statistics" | "numbers", np.Array>,
  groups: ParameterGroups,
  { entries }: Layouts["parameters"],
  optimizer: AdamOptions,
): np.Array[] {
  const averageDecay = numbers.ref.slice([HYPERPARAMETERS - 1, HYPERPARAMETERS]);
  const { state, norm } = riemannianAdam(moments, gradient, numbers, groups, optimizer, entries);
  const blended = averageStatistics
    .mul(averageDecay.ref)
    .add(statistics.ref.mul(averageDecay.mul(-1).add(1)));
  return [norm, state.parameters, state.mean, state.square, state.average, statistics, blended];
}

/** How a step descends. */
export interface DescentOptions {
  optimizer: AdamOptions;
  /** Multiples of the learning rate, by the path that parameters begin with; others learn at the full rate. */
  rates?: Readonly<Record<string, number>>;
  /** Multiples of the weight decay, likewise. */
  decays?: Readonly<Record<string, number>>;
}

/**
 * The step that lowers an objective, and the shapes of its arguments, ready for `lower`; it returns loss, gradient norm
 * and the new state, in the order of `STATE_NAMES`.
 *
 * @param specs what it is fed beside its state, by name: what the objective reads, and `numbers` of the optimiser
 * @param objective loss [] and packed new statistics, of a parameter vector, packed statistics and what is fed
 */
export function descentStep<Fed extends object>(
  model: Layouts,
  specs: Record<string, Spec>,
  { optimizer, rates = {}, decays }: DescentOptions,
  objective: (parameters: np.Array, statistics: np.Array, fed: Fed) => [np.Array, np.Array],
) {
  const decayMask = model.parameters.decayMask({ all: optimizer.decay === "coupled", decays });
  const multiples = model.parameters.multiples(rates);

  // What is fed is a tree of arrays to jax-js, and has names to the objective.
  const traced = objective as (
    p: np.Array,
    s: np.Array,
    fed: Record<string, np.Array>,
  ) => [np.Array, np.Array];

  const step = (state: TrainState<np.Array>, { numbers, ...fed }: Record<string, np.Array>) => {
    const { statistics, averageStatistics, ...moments } = state;
    const [[value, newStatistics], gradient] = valueAndGrad(traced, { hasAux: true })(
      moments.parameters.ref,
      statistics,
      fed,
    );
    const learned = { gradient, statistics: newStatistics, numbers };
    const groups = { decayMask: np.array(decayMask), multiples: multiples && np.array(multiples) };
    return [
      value,
      ...advanced({ ...moments, averageStatistics }, learned, groups, model.parameters, optimizer),
    ];
  };

  const args: Record<string, SpecTree> = { state: stateSpecs(model), batch: specs };
  return { step, args, specs };
}
