/**
 * @file A thread of the pool: takes tiles of a request from a shared counter until none is left.
 */
import { parentPort, workerData } from "node:worker_threads";
import { AlignedDistancesRunner } from "./aligned-distances.ts";
import { AlignmentRunner } from "./alignment.ts";
import { Kernel } from "./instance.ts";
import type { KernelJob } from "./job.ts";
import { tileCount } from "./job.ts";
import { LinkageRunner } from "./linkage.ts";
import { JoiningRunner } from "./neighbor-joining.ts";
import { PairAlignmentRunner } from "./pair-alignment.ts";
import { PairRunner } from "./pairs.ts";
import { CANCELLED, NEXT_TILE, type Ticket } from "./pool.ts";
import { ProgressiveRunner } from "./progressive.ts";
import { RefinementRunner } from "./refinement.ts";
import { Sweeper } from "./sweep.ts";

const kernel = new Kernel(workerData as WebAssembly.Module);

/** What computes the tiles of a job, and tells how much work each of them was. */
function runnerOf(job: KernelJob): { run(tile: number): number } {
  switch (job.kind) {
    case "sweep":
      return new Sweeper(kernel, job);
    case "pairs":
      return new PairRunner(kernel, job);
    case "alignment":
      return new AlignmentRunner(kernel, job);
    case "linkage":
      return new LinkageRunner(kernel, job);
    case "joining":
      return new JoiningRunner(kernel, job);
    case "refinement":
      return new RefinementRunner(kernel, job);
    case "aligned-distances":
      return new AlignedDistancesRunner(kernel, job);
    case "pair-alignment":
      return new PairAlignmentRunner(kernel, job);
    case "progressive":
      return new ProgressiveRunner(kernel, job);
  }
}

function work({ job, control, done }: Ticket<KernelJob>): void {
  const count = tileCount(job);
  let runner: ReturnType<typeof runnerOf> | undefined;
  while (Atomics.load(control, CANCELLED) === 0) {
    const tile = Atomics.add(control, NEXT_TILE, 1);
    if (tile >= count) return;
    runner ??= runnerOf(job);
    Atomics.add(done, 0, BigInt(runner.run(tile)));
  }
}

parentPort?.on("message", (ticket: Ticket<KernelJob>) => {
  let failure;
  try {
    work(ticket);
  } catch (error) {
    failure = error;
    Atomics.store(ticket.control, CANCELLED, 1);
  }
  parentPort?.postMessage({ id: ticket.id, failure });
});
