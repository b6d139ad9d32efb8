/**
 * @file The executor: a lowered function runs on ONNX Runtime.
 *
 * One `Program` is one session. Tensors go in and come out as typed arrays; what one step returns can be fed
 * to the next as it is.
 */

import { InferenceSession, Tensor } from "onnxruntime-node";
import { EmbranchError } from "../error.ts";

/** Where a program runs. */
export type Device = "cpu" | "webgpu" | "cuda";

export interface ProgramOptions {
  /** Threads inside an operator (default: ONNX Runtime's, one a core). */
  threads?: number;
  device?: Device;
  /** Writes ONNX Runtime's per-operator profile to files with this prefix. */
  profile?: string;
}

export { Tensor };

/** A function compiled for a device. */
export class Program {
  readonly #session: InferenceSession;

  private constructor(session: InferenceSession) {
    this.#session = session;
  }

  /** Compiles a serialised ONNX model. Throws an `EmbranchError` where the device is not to be had. */
  static async create(
    bytes: Uint8Array,
    { threads, device = "cpu", profile }: ProgramOptions = {},
  ): Promise<Program> {
    const options: InferenceSession.SessionOptions = {
      executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      interOpNumThreads: 1,
      // Threads that wait in a loop take the cores from those that compute labels.
      extra: { session: { intra_op: { allow_spinning: "0" } } },
      ...(profile === undefined ? {} : { enableProfiling: true, profileFilePrefix: profile }),
    };
    try {
      return new Program(await InferenceSession.create(bytes, options));
    } catch (cause) {
      if (device === "cpu") throw cause;
      const reason = cause instanceof Error ? cause.message.split("\n")[0] : String(cause);
      throw new EmbranchError(`device: "${device}" is not available here (${reason}); use --device cpu`, {
        cause,
      });
    }
  }

  /** Runs the program once. Outputs come by name. */
  async run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> {
    return await this.#session.run(feeds);
  }

  async close(): Promise<void> {
    // Flushes the profile, if there is one.
    if ("endProfiling" in this.#session) this.#session.endProfiling();
    await this.#session.release();
  }
}
