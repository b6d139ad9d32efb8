/** @file What stops a long run: Ctrl-C, a job scheduler, a closed terminal. */

import { constants } from "node:os";
import { EmbranchError } from "../error.ts";

export const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** A run was stopped by a signal; `message` says what is saved and how to go on. */
export class Stopped extends EmbranchError {
  override readonly exitCode: number;

  constructor(signal: NodeJS.Signals, message: string) {
    super(message);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** A signal of the process as one that can be handed to a run. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The error that says the run was stopped. */
  stopped: (message: string) => Stopped;
  /** Ends listening. */
  release: () => void;
}

/** Listens for one signal: a second Ctrl-C finds no listener and ends the process. */
export function interruption(): Interruption {
  const controller = new AbortController();
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals): void => {
    controller.abort(signal);
    // Not before all have heard of it: outputs end the process where no one else listens (output.ts).
    queueMicrotask(release);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    stopped: (message) => new Stopped(controller.signal.reason as NodeJS.Signals, message),
    release,
  };
}
