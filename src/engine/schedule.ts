/**
 * @file Learning-rate schedules, as functions of the share of the run that is done.
 *
 * A share may come from a clock as well as from a step count, so that a run bounded by minutes ends its
 * schedule just when its time is up.
 */

/**
 * `cosine` falls from 1 to 0 along half a cosine; `linear` along a line; `constant` stays at 1; `inverse-sqrt`
 * falls as √(warm-up / time) (SPEC B6); `steps` falls to a tenth twice (SPEC C3).
 */
export type ScheduleName = "cosine" | "linear" | "constant" | "inverse-sqrt" | "steps";

/** Shares of a run after which `steps` falls: epochs 60 and 85 of 100. */
const MILESTONES = [0.6, 0.85];

export interface ScheduleOptions {
  schedule: ScheduleName;
  /** Share of the run over which the rate rises linearly from 0; `inverse-sqrt` needs one, and without it is constant. */
  warmup: number;
}

/** Factor of the learning rate when `done` (0 … 1) of the run is behind. */
export function scheduleFactor(done: number, { schedule, warmup }: ScheduleOptions): number {
  const share = Math.min(1, Math.max(0, done));
  if (share < warmup) return share / warmup;
  if (schedule === "constant") return 1;
  if (schedule === "steps") return 0.1 ** MILESTONES.filter((milestone) => share >= milestone).length;
  if (schedule === "inverse-sqrt") return warmup === 0 ? 1 : Math.sqrt(warmup / share);
  const rest = (share - warmup) / (1 - warmup);
  return schedule === "linear" ? 1 - rest : 0.5 * (1 + Math.cos(Math.PI * rest));
}
