/**
 * @file Fair timing on a machine that is never quiet: contestants take turns, and medians are compared.
 *
 * Each round times every contestant once, in an order that rotates, so that a slow minute hurts all alike.
 */

/** Something to be timed: `run` does the work once and returns its seconds. */
export interface Contestant {
  name: string;
  run: () => Promise<number>;
  /** Units of work a run does, for rates. */
  units: number;
}

/** What was measured of one contestant. */
export interface Timing {
  name: string;
  runs: number;
  /** Median, least and greatest seconds a run. */
  median: number;
  least: number;
  greatest: number;
  /** Units of work a second, by the median. */
  rate: number;
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Times all contestants in `rounds` alternating rounds, after one that does not count unless `warmUp` is false. */
export async function race(
  contestants: readonly Contestant[],
  rounds: number,
  onRound?: (round: number) => void,
  { warmUp = true }: { warmUp?: boolean } = {},
): Promise<Timing[]> {
  const seconds = contestants.map((): number[] => []);
  for (let round = warmUp ? 0 : 1; round <= rounds; round++) {
    onRound?.(round);
    for (let turn = 0; turn < contestants.length; turn++) {
      const which = (round + turn) % contestants.length;
      const taken = await contestants[which].run();
      if (round > 0) seconds[which].push(taken);
    }
  }
  return contestants.map(({ name, units }, i) => {
    const sorted = seconds[i].toSorted((a, b) => a - b);
    const middle = median(sorted);
    return {
      name,
      runs: rounds,
      median: middle,
      least: sorted[0],
      greatest: sorted[sorted.length - 1],
      rate: units / middle,
    };
  });
}

/** Seconds that `work` takes. */
export async function clock(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
