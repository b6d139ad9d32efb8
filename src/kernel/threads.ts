/**
 * @file The kernel's threads: pools that share out the tiles of a job, and one thread for jobs whose tiles follow from
 * each other.
 */
import { compileKernel } from "./instance.ts";
import { tileCount, type JoiningJob, type KernelJob, type LinkageJob, type RefinementJob } from "./job.ts";
import { WorkerPool, type RequestOptions } from "./pool.ts";

export interface JobOptions extends RequestOptions {
  /** Default as many as the machine runs at once. */
  threads?: number;
}

/** Starts a pool of `threads` threads, by default as many as the machine runs at once. */
export function kernelPool(threads?: number): WorkerPool<KernelJob> {
  const url = new URL("../../dist/kernel/worker.js", import.meta.url);
  return new WorkerPool<KernelJob>(url, compileKernel(), threads);
}

/** Runs a job of `total` units of work on a pool of its own. */
export async function runJob(
  job: KernelJob,
  total: number,
  { threads, ...request }: JobOptions,
): Promise<void> {
  const pool = kernelPool(threads);
  try {
    await pool.run(job, tileCount(job), total, request);
  } finally {
    await pool.close();
  }
}

/** Runs a job of `total` units of work whose tiles must come in order, on a thread of its own. */
export async function runInOrder(
  job: LinkageJob | JoiningJob | RefinementJob,
  total: number,
  request: RequestOptions,
): Promise<void> {
  await runJob(job, total, { ...request, threads: 1 });
}
