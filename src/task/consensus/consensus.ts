/**
 * @file `consensus`: one string for each group of sequences.
 *
 * - `majority` (the default): the strand that the sequences most likely are noisy copies of (likeliest-strand.ts), for
 *   reads of DNA storage, of molecules with barcodes, of amplicons;
 * - `centre`, `greedy-1`, `greedy-2`: what is measured against (../../baseline/median-string.ts);
 * - `steiner`: the middle of the points of a model with a decoder (steiner.ts), in time linear in the sequences.
 *
 * Groups are shared out among threads; the strings do not depend on how many there are.
 */

import { availableParallelism } from "node:os";
import type { DecoderModel } from "../../engine/decoder-model.ts";
import { EmbranchError, UsageError } from "../../error.ts";
import { packCodes, type RequestOptions } from "../../kernel/index.ts";
import { WorkerPool } from "../../kernel/pool.ts";
import { decode } from "../../sequence/index.ts";
import type { Groups } from "./groups.ts";
import { mostLetters, STRING_METHODS, type ConsensusJob, type StringOptions } from "./job.ts";

export const CONSENSUS_METHODS = [...STRING_METHODS, "steiner"] as const;
export type ConsensusMethod = (typeof CONSENSUS_METHODS)[number];

export interface ConsensusOptions extends RequestOptions {
  /** Default `majority`. */
  method?: ConsensusMethod;
  /**
   * Go on from there to a string that no single edit brings nearer to its group, on a sample of 500 where it is
   * larger (default: with `steiner` alone).
   */
  refine?: boolean;
  /** For `steiner`, and for it alone. */
  model?: DecoderModel;
  /** Letters of every strand, where that is known; for `majority` alone. */
  length?: number;
  /** Default: as many as the machine runs at once. */
  threads?: number;
}

/** The string of a group. */
export interface ConsensusString {
  /** Name of the group. */
  group: string;
  /** Letters. */
  sequence: string;
  /** Sequences of the group. */
  reads: number;
  /** Mean edit distance of the sequences to the string. */
  error: number;
}

/**
 * Computes a string for each group, in their order.
 *
 * @throws UsageError for options that do not go together; EmbranchError for an empty group or, with a model,
 *   sequences longer than it takes
 */
export async function consensusStrings(
  groups: Groups,
  options: ConsensusOptions = {},
): Promise<ConsensusString[]> {
  const { names, members, alphabet } = groups;
  const { method = "majority", refine = method === "steiner", model, length, ...request } = options;
  if (!CONSENSUS_METHODS.includes(method)) {
    throw new UsageError(`method: must be one of ${CONSENSUS_METHODS.join(", ")}, got ${String(method)}`);
  }
  if (length !== undefined && method !== "majority") {
    throw new UsageError(`length: is for majority, got the method ${method}`);
  }
  if (length !== undefined && !(Number.isInteger(length) && length > 0)) {
    throw new UsageError(`length: must be a positive integer, got ${length}`);
  }
  if ((model === undefined) === (method === "steiner")) {
    throw new UsageError(
      model ? `model: is for steiner, got the method ${method}` : "model: steiner needs one",
    );
  }
  const empty = members.findIndex((group) => group.length === 0);
  if (empty >= 0)
    throw new EmbranchError(`group "${names[empty]}": must hold at least one sequence, got none`);
  let given: Uint8Array[] | undefined;
  if (model !== undefined) {
    if (model.encoder.alphabet !== alphabet) {
      throw new EmbranchError(
        `groups: must hold ${model.encoder.alphabet.name} as the model does, got ${alphabet.name}`,
      );
    }
    const { steinerStrings } = await import("./steiner.ts");
    given = await steinerStrings(model, members, { signal: request.signal });
  }
  const wanted = {
    method: method === "steiner" ? undefined : method,
    refine,
    letters: alphabet.size,
    length,
  };
  const { strings, errors } = await onThreads(members, wanted, given, request);
  return names.map((group, i) => ({
    group,
    sequence: decode(strings[i], alphabet),
    reads: members[i].length,
    error: errors[i],
  }));
}

async function onThreads(
  members: readonly (readonly Uint8Array[])[],
  options: StringOptions,
  given: readonly Uint8Array[] | undefined,
  {
    threads = availableParallelism(),
    signal,
    progress,
  }: Pick<ConsensusOptions, "threads" | "signal" | "progress">,
): Promise<{ strings: Uint8Array[]; errors: Float64Array }> {
  const count = members.length;
  if (count === 0) return { strings: [], errors: new Float64Array(0) };
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (count + 1)));
  const places = new Uint32Array(new SharedArrayBuffer(4 * (count + 1)));
  members.forEach((group, i) => {
    starts[i + 1] = starts[i] + group.length;
    places[i + 1] = places[i] + mostLetters(group, options, given?.[i]);
  });
  const job: ConsensusJob = {
    ...options,
    sequences: packCodes(members.flat()),
    starts,
    given: given && packCodes(given),
    strings: new Uint8Array(new SharedArrayBuffer(places[count])),
    places,
    lengths: new Uint32Array(new SharedArrayBuffer(4 * count)),
    errors: new Float64Array(new SharedArrayBuffer(8 * count)),
  };
  const url = new URL("../../../dist/task/consensus/worker.js", import.meta.url);
  const pool = new WorkerPool<ConsensusJob>(url, undefined, Math.min(threads, count));
  try {
    await pool.run(job, count, count, { signal, progress });
  } finally {
    await pool.close();
  }
  const strings = members.map((_, i) => job.strings.slice(places[i], places[i] + job.lengths[i]));
  return { strings, errors: job.errors };
}
