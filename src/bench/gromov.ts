/** @file Gromov's δ_p of base points beside NumPy and PyTorch, a row of the (max, min) product at a time. */

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { EmbranchError } from "../error.ts";
import { gromovDeltas } from "../kernel/index.ts";
import type { NumberArray } from "../sequence/condensed.ts";
import { Random } from "../sequence/random.ts";
import { encodeNpy } from "../sequence/npy.ts";
import { curvedDistances, curvedPoints } from "../task/hyperbolicity/constant-curvature.ts";
import { Peer, peerSource, pythonWith } from "./peer.ts";
import { clock, race, type Contestant, type Timing } from "./timing.ts";

export interface GromovBenchOptions {
  /** Points of the plane. */
  points: number;
  rounds: number;
  onRound?: (round: number) => void;
}

/** Steps of ours in a round, about; slow peers do so many base points. */
const STEPS = 4e10;
const FEW = 4;

/** Base points a second; throws an `EmbranchError` where a peer disagrees. */
export async function benchGromov({ points, rounds, onRound }: GromovBenchOptions): Promise<Timing[]> {
  const drawn = curvedPoints({ curvature: 0, dim: 2, count: points, random: new Random(1) });
  const real = Float32Array.from(curvedDistances(drawn));
  const whole = Uint16Array.from(real, (distance) => Math.round(1000 * distance));
  const most = Math.min(points, Math.max(FEW, Math.round(STEPS / points ** 3)));
  const bases = Uint32Array.from({ length: most }, (_, base) => base);
  const few = Array.from(bases.subarray(0, FEW));
  const [{ deltas }] = await gromovDeltas([real], { bases: few });
  const ours = (name: string, distances: NumberArray, threads: number): Contestant => ({
    name: `embranch, ${name}`,
    units: bases.length,
    run: () => clock(() => gromovDeltas([distances], { bases, threads })),
  });
  const contestants = [
    ours("whole distances, 1 thread", whole, 1),
    ours("floats, 1 thread", real, 1),
    ours("floats, 2 threads", real, 2),
  ];
  const folder = await mkdtemp(join(tmpdir(), "embranch-bench-"));
  const peers: Peer[] = [];
  try {
    const file = join(folder, "distances.npy");
    await writeFile(file, Readable.from(encodeNpy(real)));
    for (const [module, name] of [
      ["numpy", "NumPy, 1 thread"],
      ["torch", "PyTorch, 1 thread"],
    ] as const) {
      const python = pythonWith(module);
      if (python === undefined) continue;
      const peer = await Peer.start(python, [peerSource("gromov.py"), module, file]);
      peers.push(peer);
      contestants.push({
        name,
        units: FEW,
        run: async () => {
          const answer = await peer.ask<{ seconds: number; deltas: number[] }>({ bases: few });
          const wrong = answer.deltas.findIndex((delta, b) => Math.abs(delta - deltas[b]) > 1e-5);
          if (wrong < 0) return answer.seconds;
          throw new EmbranchError(
            `bench: ${name} must agree with us, got δ of ${answer.deltas[wrong]} instead of ${deltas[wrong]}`,
          );
        },
      });
    }
    return await race(contestants, rounds, onRound);
  } finally {
    for (const peer of peers) peer.stop();
    await rm(folder, { recursive: true });
  }
}
