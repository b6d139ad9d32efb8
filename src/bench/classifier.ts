/**
 * @file The classifiers of "Hyperbolic genome embeddings" beside PyTorch: a training step, and the memory it takes.
 *
 * Both sides learn the same networks of SPEC C2 on the same work: batches of 100 sequences, cross-entropy, Adam with
 * weight decay, and its Riemannian form for the centres of the hyperbolic normalisations. The peer,
 * bench/peers/torch_classifier.py, does what is published in the published order. Every network of either side is a
 * process of its own; those of one length take turns.
 */

import { fileURLToPath } from "node:url";
import type { ClassifierName } from "../nn/classifier.ts";
import type { StepsTaken } from "./classifier-steps.ts";
import { Peer, peerSource, pythonWith } from "./peer.ts";
import { race, type Timing } from "./timing.ts";

/** Sequences in a batch. */
const BATCH = 100;
/** Letters that a turn reads of each sequence, by which its steps are counted, and the most of these. */
const TURN = { letters: 400, steps: 4 };

export interface ClassifierBenchOptions {
  lengths: readonly number[];
  networks: readonly ClassifierName[];
  threads: number;
  rounds: number;
  onRound?: (length: number, round: number) => void;
}

/** What was measured of one network of one side, at one length. */
export interface ClassifierTiming extends Pick<Timing, "median" | "least" | "greatest"> {
  length: number;
  network: ClassifierName;
  side: "ours" | "peer";
  /** Which program of what version. */
  name: string;
  /** Numbers that are learned, curvatures not counted. */
  parameters: number;
  /** Greatest memory of the process in bytes, where the system tells. */
  memory?: number;
}

type Contender = Pick<ClassifierTiming, "network" | "side"> & { peer: Peer };

/** Training steps; `median`, `least` and `greatest` are seconds a step. */
export async function benchClassifier({
  lengths,
  networks,
  threads,
  rounds,
  onRound,
}: ClassifierBenchOptions): Promise<ClassifierTiming[]> {
  const ours = fileURLToPath(new URL("../../dist/bench/classifier-peer.js", import.meta.url));
  const python = pythonWith("torch");
  const timings: ClassifierTiming[] = [];
  for (const length of lengths) {
    const contenders: Contender[] = [];
    try {
      for (const network of networks) {
        const args = [threads, length, network, BATCH].map(String);
        const add = async (side: Contender["side"], program: string, source: string) =>
          contenders.push({ network, side, peer: await Peer.start(program, [source, ...args]) });
        await add("ours", process.execPath, ours);
        if (python !== undefined) await add("peer", python, peerSource("torch_classifier.py"));
      }
      const steps = Math.min(TURN.steps, Math.max(1, Math.round(TURN.letters / length)));
      const raced = await race(
        contenders.map(({ peer }) => ({
          name: peer.version,
          units: steps,
          run: async () => {
            const { seconds } = await peer.ask<StepsTaken>({ do: "train", steps });
            return seconds.reduce((total, each) => total + each, 0) / steps;
          },
        })),
        rounds,
        (round) => onRound?.(length, round),
      );
      raced.forEach(({ name, median, least, greatest }, i) => {
        const { network, side, peer } = contenders[i];
        timings.push({
          length,
          network,
          side,
          name,
          parameters: peer.parameters!,
          median,
          least,
          greatest,
          memory: peer.peakMemory(),
        });
      });
    } finally {
      for (const { peer } of contenders) peer.stop();
    }
  }
  return timings;
}
