/**
 * @file A thread of the kernel's pool, with an instance of its own.
 */
import { workerData } from "node:worker_threads";
import { AlignedDistancesRunner } from "./aligned-distances.ts";
import { AlignmentRunner } from "./alignment.ts";
import { GromovRunner } from "./gromov.ts";
import { Kernel } from "./instance.ts";
import { tileCount, type KernelJob } from "./job.ts";
import { LinkageRunner } from "./linkage.ts";
import { JoiningRunner } from "./neighbor-joining.ts";
import { PairAlignmentRunner } from "./pair-alignment.ts";
import { PairRunner } from "./pairs.ts";
import { ProgressiveRunner } from "./progressive.ts";
import { RefinementRunner } from "./refinement.ts";
import { serve, type Runner } from "./serve.ts";
import { Sweeper } from "./sweep.ts";

const kernel = new Kernel(workerData as WebAssembly.Module);

function runnerOf(job: KernelJob): Runner {
  switch (job.kind) {
    case "sweep":
      return new Sweeper(kernel, job);
    case "pairs":
      return new PairRunner(kernel, job);
    case "alignment":
      return new AlignmentRunner(kernel, job);
    case "gromov":
      return new GromovRunner(kernel, job);
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

serve(tileCount, runnerOf);
