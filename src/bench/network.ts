/**
 * @file The papers' convolutional network beside PyTorch: a training step, and embedding.
 *
 * Both sides train the same network on the same work (SPEC A8, Qiita, hyperbolic: 4 convolutions of 32
 * channels and width 3, 128 pairs of 152 letters, Adam); the peer is bench/peers/torch_model.py.
 */

import { init } from "@jax-js/jax";
import { lower } from "../engine/lower.ts";
import { DistanceModel } from "../engine/model.ts";
import { encodeModel, Model, type Manifest } from "../engine/model-file.ts";
import { hyperparameters } from "../engine/optimizer.ts";
import { PAPER_CNN } from "../engine/recipe.ts";
import { Program, Tensor } from "../engine/run.ts";
import { STATE_NAMES } from "../engine/descent-step.ts";
import { trainStep, type TrainStepOptions } from "../engine/train-step.ts";
import { Random } from "../sequence/index.ts";
import { VERSION } from "../version.ts";
import { Peer, peerSource, pythonWith } from "./peer.ts";
import { clock, race, type Contestant, type Timing } from "./timing.ts";

const LENGTH = 152;
const PAIRS = 128;
/** Steps a run. */
const STEPS = 10;
/** Sequences a run. */
const EMBEDDED = 2048;

const CONFIG = {
  encoder: PAPER_CNN,
  shape: { length: LENGTH, letters: 4, dim: 128 },
  geometry: "hyperbolic",
} as const;

export interface NetworkBenchOptions {
  rounds: number;
  onRound?: (round: number) => void;
}

function randomTokens(count: number): Int32Array {
  const random = new Random(1);
  return Int32Array.from({ length: count * LENGTH }, () => random.integer(4));
}

async function torchPeers(): Promise<{ threads: number; peer: Peer }[]> {
  const python = pythonWith("torch");
  if (python === undefined) return [];
  return Promise.all(
    [1, 2].map(async (threads) => ({
      threads,
      peer: await Peer.start(python, [
        peerSource("torch_model.py"),
        ...[threads, LENGTH, EMBEDDED].map(String),
      ]),
    })),
  );
}

const total = (seconds: readonly number[]) => seconds.reduce((sum, value) => sum + value, 0);

/** Training steps of 128 pairs; a run is ten of them. */
export async function benchTrainStep({ rounds, onRound }: NetworkBenchOptions): Promise<Timing[]> {
  await init("wasm");
  const model = new DistanceModel(CONFIG);
  const options: TrainStepOptions = {
    loss: { name: "mse" },
    pairs: "halves",
    batch: 2 * PAIRS,
    optimizer: {},
  };
  const { step, args } = trainStep(model, options);
  const { bytes, outputs } = lower(step, args);
  const programs: Program[] = [];
  const contestants: Contestant[] = [];
  for (const threads of [1, 2]) {
    const program = await Program.create(bytes, { threads });
    programs.push(program);
    contestants.push({
      name: `embranch, ${threads} thread${threads > 1 ? "s" : ""}`,
      units: STEPS,
      run: stepper(model, program, outputs),
    });
  }
  const peers = await torchPeers();
  for (const { peer } of peers) {
    contestants.push({
      name: peer.version,
      units: STEPS,
      run: async () => total((await peer.ask<{ seconds: number[] }>({ do: "train", steps: STEPS })).seconds),
    });
  }
  try {
    return await race(contestants, rounds, onRound);
  } finally {
    for (const { peer } of peers) peer.stop();
    for (const program of programs) await program.close();
  }
}

/** Trains on, `STEPS` steps a call. */
function stepper(model: DistanceModel, program: Program, outputs: readonly string[]): () => Promise<number> {
  const random = new Random(1);
  const { parameters, statistics } = model.initialize(random);
  const zeros = () => new Float32Array(parameters.length);
  const vectors = {
    parameters,
    mean: zeros(),
    square: zeros(),
    average: parameters,
    statistics,
    averageStatistics: statistics,
  };
  const tensor = (data: Float32Array) => new Tensor("float32", data, [data.length]);
  const feeds: Record<string, Tensor> = {
    "batch.tokens": new Tensor("int32", randomTokens(2 * PAIRS), [2 * PAIRS, LENGTH]),
    "batch.labels": tensor(Float32Array.from({ length: PAIRS }, () => random.uniform() / 2)),
    ...Object.fromEntries(STATE_NAMES.map((name) => [`state.${name}`, tensor(vectors[name])])),
  };
  let done = 0;
  return () =>
    clock(async () => {
      for (let i = 0; i < STEPS; i++) {
        feeds["batch.numbers"] = tensor(hyperparameters(++done, 0.01, {}, 0));
        const results = await program.run(feeds);
        // The first two results are the loss and the gradient's norm.
        STATE_NAMES.forEach((name, at) => (feeds[`state.${name}`] = results[outputs[at + 2]]));
      }
    });
}

/** Embedding of 2,048 sequences in batches of 512. */
export async function benchEmbed({ rounds, onRound }: NetworkBenchOptions): Promise<Timing[]> {
  await init("wasm");
  const model = new DistanceModel(CONFIG);
  const bytes = await encodeModel(CONFIG, model.initialize(new Random(1)), untrainedManifest(model));
  const tokens = randomTokens(EMBEDDED);
  const sequences = Array.from({ length: EMBEDDED }, (_, i) =>
    Uint8Array.from(tokens.subarray(i * LENGTH, (i + 1) * LENGTH)),
  );
  const models: Model[] = [];
  const contestants: Contestant[] = [];
  for (const threads of [1, 2]) {
    const loaded = await Model.decode(bytes, "bench", { threads });
    models.push(loaded);
    contestants.push({
      name: `embranch, ${threads} thread${threads > 1 ? "s" : ""}`,
      units: EMBEDDED,
      run: () =>
        clock(async () => {
          for (let start = 0; start < EMBEDDED; start += 512)
            await loaded.embed(sequences.slice(start, start + 512));
        }),
    });
  }
  const peers = await torchPeers();
  for (const { peer } of peers) {
    contestants.push({
      name: peer.version,
      units: EMBEDDED,
      run: async () => total((await peer.ask<{ seconds: number[] }>({ do: "embed", runs: 1 })).seconds),
    });
  }
  try {
    return await race(contestants, rounds, onRound);
  } finally {
    for (const { peer } of peers) peer.stop();
    for (const loaded of models) await loaded.close();
  }
}

function untrainedManifest(model: DistanceModel): Manifest {
  const { encoder, shape, geometry } = CONFIG;
  return {
    version: 1,
    embranch: VERSION,
    alphabet: "dna",
    letters: "ACGT",
    length: shape.length,
    dim: shape.dim,
    encoder: { ...encoder },
    geometry,
    space: { options: {}, parameters: model.space.initialParameters(), constants: {} },
    training: { sequences: 0, digest: "", seed: 1, recipe: "none", loss: "mse", steps: 0 },
    validation: { sequences: 0, pairs: 0, percentRmse: 0 },
  };
}
