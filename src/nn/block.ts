/**
 * @file Blocks: what networks are made of, and how they are put together.
 *
 * A block is plain data beside one pure function: a tree of parameter specs, a tree of running statistics, how
 * much noise it takes, and `apply`. A chain of blocks is a block. As everywhere with jax-js, `apply` consumes
 * the arrays passed to it.
 *
 * Noise (dropout) is fed to a step like its tokens, from the run's own generator, so that a run stays a
 * function of its seed on every executor and a resumed one draws what an unbroken one would have drawn.
 */

import { numpy as np } from "@jax-js/jax";
import type { ConvFormulation } from "./layers.ts";
import type { ArrayTree, ParameterTree } from "./parameter.ts";

export interface Context {
  /** Normalise by the batch's own statistics, and fold these into the running ones. */
  training: boolean;
  formulation?: ConvFormulation;
  /** Uniform numbers on [0, 1), [batch, block.noise]; without them nothing is dropped. */
  noise?: np.Array;
}

export interface Block {
  readonly parameters: ParameterTree;
  /** Running statistics of batch normalisation; `{}` where there are none. */
  readonly statistics: ParameterTree;
  /** Uniform numbers it takes for each sequence while training. */
  readonly noise: number;
  /** Output, and the new running statistics. */
  apply(
    parameters: ArrayTree,
    statistics: ArrayTree,
    x: np.Array,
    context: Context,
  ): { output: np.Array; statistics: ArrayTree };
}

/** A block with nothing to learn. */
export function fixed(apply: (x: np.Array) => np.Array): Block {
  return {
    parameters: {},
    statistics: {},
    noise: 0,
    apply: (_, statistics, x) => ({ output: apply(x), statistics }),
  };
}

/** A block with parameters and neither statistics nor noise. */
export function learned<Arrays>(
  parameters: ParameterTree,
  apply: (arrays: Arrays, x: np.Array, context: Context) => np.Array,
): Block {
  return {
    parameters,
    statistics: {},
    noise: 0,
    apply: (arrays, statistics, x, context) => ({
      output: apply(arrays as unknown as Arrays, x, context),
      statistics,
    }),
  };
}

/** Blocks as one: `connect` says what goes through them, each of which it calls once. */
function group(
  blocks: Record<string, Block | undefined>,
  connect: (apply: ((x: np.Array) => np.Array)[], x: np.Array) => np.Array,
): Block {
  const links = Object.entries(blocks).filter((link): link is [string, Block] => link[1] !== undefined);
  const each = <T>(value: (block: Block) => T) =>
    Object.fromEntries(links.map(([name, block]) => [name, value(block)]));
  const amounts = links.map(([, { noise }]) => noise);
  return {
    parameters: each(({ parameters }) => parameters),
    statistics: each(({ statistics }) => statistics),
    noise: amounts.reduce((total, amount) => total + amount, 0),
    apply: (parameters, statistics, x, { noise, ...context }) => {
      const shares = noiseShares(noise, amounts);
      const updated: Record<string, ArrayTree> = {};
      const apply = links.map(([name, block], i) => (input: np.Array) => {
        const step = block.apply(
          (parameters as Record<string, ArrayTree>)[name],
          (statistics as Record<string, ArrayTree>)[name],
          input,
          { ...context, noise: shares[i] },
        );
        updated[name] = step.statistics;
        return step.output;
      });
      return { output: connect(apply, x), statistics: updated };
    },
  };
}

/** Blocks one after the other; their names become those of the parameters. `undefined` ones are left out. */
export function chain(blocks: Record<string, Block | undefined>): Block {
  return group(blocks, (apply, x) => apply.reduce((value, each) => each(value), x));
}

/** The sum of what blocks make of the same input. */
export function sum(blocks: Record<string, Block>): Block {
  return group(blocks, (apply, x) => {
    const outputs = apply.map((each) => each(x.ref));
    x.dispose();
    return outputs.reduce((total, output) => total.add(output));
  });
}

/** Noise [batch, Σ amounts] as one array for each amount above 0. */
function noiseShares(noise: np.Array | undefined, amounts: readonly number[]): (np.Array | undefined)[] {
  if (noise === undefined) return amounts.map(() => undefined);
  const takers = amounts.filter((amount) => amount > 0);
  const ends = takers.slice(0, -1).map((_, i) => takers.slice(0, i + 1).reduce((sum, n) => sum + n, 0));
  const shares = ends.length === 0 ? [noise] : np.split(noise, ends, 1);
  return amounts.map((amount) => (amount > 0 ? shares.shift() : undefined));
}

/** x + inner(x), then what follows. */
export function residual(inner: Block): Block {
  return {
    ...inner,
    apply: (parameters, statistics, x, context) => {
      const step = inner.apply(parameters, statistics, x.ref, context);
      return { output: x.add(step.output), statistics: step.statistics };
    },
  };
}
