/**
 * @file A thread that computes consensus strings: takes groups from a shared counter until none is left.
 */

import { parentPort } from "node:worker_threads";
import { CANCELLED, NEXT_TILE, type Ticket } from "../../kernel/pool.ts";
import { runTile, type ConsensusJob } from "./job.ts";

function work({ job, control, done }: Ticket<ConsensusJob>): void {
  while (Atomics.load(control, CANCELLED) === 0) {
    const tile = Atomics.add(control, NEXT_TILE, 1);
    if (tile >= job.lengths.length) return;
    runTile(job, tile);
    Atomics.add(done, 0, 1n);
  }
}

parentPort?.on("message", (ticket: Ticket<ConsensusJob>) => {
  let failure;
  try {
    work(ticket);
  } catch (error) {
    failure = error;
    Atomics.store(ticket.control, CANCELLED, 1);
  }
  parentPort?.postMessage({ id: ticket.id, failure });
});
