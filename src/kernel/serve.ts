/**
 * @file What every thread of a pool does: takes tiles of a request from a shared counter until none is left.
 */
import { parentPort } from "node:worker_threads";
import { CANCELLED, NEXT_TILE, type Ticket } from "./pool.ts";

/** What computes the tiles of one job. */
export interface Runner {
  /** Computes a tile; returns how many units of work it was. */
  run(tile: number): number;
}

/** Answers the requests that come to this thread; a runner is made for those alone of which it gets a tile. */
export function serve<Job>(tileCount: (job: Job) => number, runnerOf: (job: Job) => Runner): void {
  const work = ({ job, control, done }: Ticket<Job>): void => {
    const count = tileCount(job);
    let runner: Runner | undefined;
    while (Atomics.load(control, CANCELLED) === 0) {
      const tile = Atomics.add(control, NEXT_TILE, 1);
      if (tile >= count) return;
      runner ??= runnerOf(job);
      Atomics.add(done, 0, BigInt(runner.run(tile)));
    }
  };
  parentPort?.on("message", (ticket: Ticket<Job>) => {
    let failure;
    try {
      work(ticket);
    } catch (error) {
      failure = error;
      Atomics.store(ticket.control, CANCELLED, 1);
    }
    parentPort?.postMessage({ id: ticket.id, failure });
  });
}
