/**
 * @file Worker threads that share out the tiles of requests.
 *
 * A request goes to as many threads as it has tiles for; each takes the next tile from an atomic counter, so
 * that they stay balanced whatever the tiles cost. Requests queue up in every thread's inbox and run in order;
 * while a thread finishes the last tiles of one, the others start the next. An idle pool does not keep the
 * process alive.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { EmbranchError, UsageError } from "../error.ts";

/** Index of the next tile to take in a ticket's `control`. */
export const NEXT_TILE = 0;
/** Index of the flag in `control` that stops a request. */
export const CANCELLED = 1;

/** What a thread gets for one request. */
export interface Ticket<Job> {
  id: number;
  job: Job;
  /** [2] The next tile, and whether to stop. */
  control: Int32Array;
  /** [1] Units of work done so far. */
  done: BigInt64Array;
}

/** Called now and then with the pairs done so far and their total; the last time with done = total. */
export type Progress = (done: number, total: number) => void;

/** What every long request takes. */
export interface RequestOptions {
  /** Called about ten times a second while the request runs. */
  progress?: Progress;
  /** Stops the request; its promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

interface Pending {
  control: Int32Array;
  /** Threads still to report. */
  threads: Set<Thread>;
  resolve: () => void;
  reject: (reason: unknown) => void;
}

interface Thread {
  worker: Worker;
  /** Requests in its inbox. */
  load: number;
}

/** Threads of a pool, at most, for each that the machine runs at once: more only take time to start. */
const MOST_THREADS = 4;

/** Milliseconds between calls of a progress callback. */
const PROGRESS_INTERVAL = 100;

/** A pool of threads that all run the same worker module. */
export class WorkerPool<Job> {
  private readonly threads: Thread[];
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private failure: EmbranchError | undefined;

  /**
   * Starts `threads` workers (a positive integer) of the module at `url`, each with `workerData`; four times as many as
   * the machine runs at once at most.
   */
  constructor(url: URL, workerData: unknown, threads: number = availableParallelism()) {
    if (!Number.isInteger(threads) || threads < 1) {
      throw new UsageError(`threads: must be a positive integer, got ${threads}`);
    }
    const length = Math.min(threads, MOST_THREADS * availableParallelism());
    this.threads = Array.from({ length }, () => {
      const thread: Thread = { worker: new Worker(url, { workerData, execArgv: [] }), load: 0 };
      thread.worker.on("message", ({ id, failure }: { id: number; failure?: unknown }) => {
        this.report(thread, id, failure);
      });
      thread.worker.on("error", (cause) => this.fail(`a worker thread crashed: ${cause.message}`, cause));
      thread.worker.on("exit", () => this.fail("a worker thread stopped unexpectedly"));
      // After the listeners: listening for messages holds the process.
      thread.worker.unref();
      return thread;
    });
  }

  /** Number of threads. */
  get size(): number {
    return this.threads.length;
  }

  /** Runs the `tiles` tiles of `job`, `total` units of work; resolves when every thread has left them. */
  async run(
    job: Job,
    tiles: number,
    total: number,
    { progress, signal }: RequestOptions = {},
  ): Promise<void> {
    signal?.throwIfAborted();
    if (this.failure) throw this.failure;
    const control = new Int32Array(new SharedArrayBuffer(8));
    const done = new BigInt64Array(new SharedArrayBuffer(8));
    const id = this.nextId++;
    const chosen = this.threads
      .toSorted((a, b) => a.load - b.load)
      .slice(0, Math.max(1, Math.min(tiles, this.threads.length)));
    const finished = new Promise<void>((resolve, reject) => {
      this.pending.set(id, { control, threads: new Set(chosen), resolve, reject });
    });
    for (const thread of chosen) {
      if (thread.load++ === 0) thread.worker.ref();
      thread.worker.postMessage({ id, job, control, done } satisfies Ticket<Job>);
    }
    const abort = (): void => {
      Atomics.store(control, CANCELLED, 1);
      this.pending.get(id)?.reject(signal?.reason);
    };
    signal?.addEventListener("abort", abort);
    const timer = progress && setInterval(() => progress(Number(done[0]), total), PROGRESS_INTERVAL);
    try {
      await finished;
    } finally {
      clearInterval(timer);
      signal?.removeEventListener("abort", abort);
    }
    progress?.(total, total);
  }

  /** Stops all threads; requests still running are rejected. */
  async close(): Promise<void> {
    this.end(new EmbranchError("worker pool: is closed"));
    // Idle threads do not keep the process alive, and neither does waiting for their end: a timer does.
    const alive = setInterval(() => undefined, 1000);
    try {
      await Promise.all(this.threads.map(({ worker }) => worker.terminate()));
    } finally {
      clearInterval(alive);
    }
  }

  private report(thread: Thread, id: number, failure: unknown): void {
    if (--thread.load === 0) thread.worker.unref();
    const pending = this.pending.get(id);
    if (!pending) return;
    if (failure !== undefined) {
      const cause = failure instanceof Error ? failure : new Error("unknown failure", { cause: failure });
      pending.reject(new EmbranchError(cause.message, { cause }));
    }
    pending.threads.delete(thread);
    if (pending.threads.size > 0) return;
    this.pending.delete(id);
    pending.resolve();
  }

  private fail(message: string, cause?: unknown): void {
    this.end(new EmbranchError(`worker pool: ${message}`, { cause }));
  }

  /** Rejects what is running and everything to come; the first reason stands. */
  private end(reason: EmbranchError): void {
    this.failure ??= reason;
    for (const { control, reject } of this.pending.values()) {
      Atomics.store(control, CANCELLED, 1);
      reject(this.failure);
    }
    this.pending.clear();
  }
}
