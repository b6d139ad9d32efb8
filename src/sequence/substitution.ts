/**
 * @file How sequences change along a branch: substitutions, insertions, deletions.
 *
 * Substitutions follow HKY85, which contains F81 (`kappa` 1), K80 (equal frequencies) and JC69 (both); for
 * protein, where there are no transitions, the equal-input model. Rates are normalised: a branch of length t has
 * t expected substitutions a site, averaged over sites. Each site has its own rate; insertions and deletions
 * strike a site in proportion to it too, have geometric lengths, and inserted letters inherit the rate of their
 * left neighbour.
 *
 * Simulation is exact in continuous time and needs no matrix exponentials: candidate events arrive at the
 * highest rate any site can have, and are kept with the probability that the site's own rate asks for (thinning;
 * for substitutions this is uniformisation). Cost grows with the number of events, not with the length, so short
 * branches are nearly free.
 *
 * Sources: Hasegawa, Kishino and Yano, "Dating of the human-ape splitting by a molecular clock of mitochondrial
 * DNA", Journal of Molecular Evolution 1985; Jensen, "Markoff chains as an aid in the study of Markoff
 * processes", 1953; Lewis and Shedler, "Simulation of nonhomogeneous Poisson processes by thinning", 1979.
 */

import { UsageError } from "../error.ts";
import type { Random } from "./random.ts";

/** A sequence on its way: codes, and for each letter the root site it descends from. */
export interface Lineage {
  codes: Uint8Array;
  sites: Uint32Array;
}

export interface SubstitutionModelOptions {
  /** Equilibrium frequency of each letter, in code order; they are scaled to sum 1. */
  frequencies: readonly number[];
  /** Rate of transitions (A↔G, C↔T) over transversions; 1 for none. Only for DNA. */
  kappa?: number;
  /** Insertions, and as many deletions, per substitution. */
  indels?: number;
  /** Mean length of an insertion or deletion. */
  indelLength?: number;
}

/** A model of change along branches. */
export interface SubstitutionModel {
  readonly frequencies: Float64Array;
  /** A letter drawn from the equilibrium. */
  letter(random: Random): number;
  /** The sequence at the end of a branch of `length` expected substitutions a site; the start is not changed. */
  evolve(start: Lineage, siteRates: Float64Array, length: number, random: Random): Lineage;
}

/** Defines a model; throws `UsageError` for parameters outside their domain. */
export function substitutionModel({
  frequencies,
  kappa = 1,
  indels = 0,
  indelLength = 2,
}: SubstitutionModelOptions): SubstitutionModel {
  const letters = frequencies.length;
  const sum = frequencies.reduce((a, b) => a + b, 0);
  if (letters < 2 || !frequencies.every((f) => f > 0) || !Number.isFinite(sum)) {
    throw new UsageError(`frequencies: must be positive, got ${frequencies.join(", ")}`);
  }
  if (!(kappa > 0 && Number.isFinite(kappa))) throw new UsageError(`kappa: must be above 0, got ${kappa}`);
  if (!(indels >= 0 && indels <= 10)) throw new UsageError(`indels: must be from 0 to 10, got ${indels}`);
  if (!(indelLength >= 1 && Number.isFinite(indelLength))) {
    throw new UsageError(`indelLength: must be at least 1, got ${indelLength}`);
  }
  const pi = Float64Array.from(frequencies, (f) => f / sum);
  const rates = rateMatrix(pi, kappa);
  const fastest = Math.max(...rates.map((row) => row[letters - 1]));
  /** Highest rate of events at a site of rate 1: any substitution, insertion or deletion. */
  const perSite = fastest + 2 * indels;

  const letter = (random: Random): number => {
    let u = random.uniform();
    let code = 0;
    while (code < letters - 1 && u >= pi[code]) u -= pi[code++];
    return code;
  };

  const evolve = (start: Lineage, siteRates: Float64Array, length: number, random: Random): Lineage => {
    const highest = siteRates.reduce((a, b) => Math.max(a, b), 0);
    let { codes, sites } = start;
    let used = codes.length;
    let own = false;

    const makeRoom = (needed: number): void => {
      if (own && needed <= codes.length) return;
      const capacity = needed <= codes.length ? codes.length : needed + 64;
      const moreCodes = new Uint8Array(capacity);
      const moreSites = new Uint32Array(capacity);
      moreCodes.set(codes.subarray(0, used));
      moreSites.set(sites.subarray(0, used));
      codes = moreCodes;
      sites = moreSites;
      own = true;
    };

    const remove = (at: number, count: number): void => {
      const end = Math.min(used, at + count);
      if (end - at >= used) return;
      makeRoom(used);
      codes.copyWithin(at, end, used);
      sites.copyWithin(at, end, used);
      used -= end - at;
    };

    const insertAfter = (at: number, count: number): void => {
      makeRoom(used + count);
      codes.copyWithin(at + 1 + count, at + 1, used);
      sites.copyWithin(at + 1 + count, at + 1, used);
      for (let i = at + 1; i <= at + count; i++) codes[i] = letter(random);
      sites.fill(sites[at], at + 1, at + 1 + count);
      used += count;
    };

    let time = 0;
    for (;;) {
      time += random.exponential(used * highest * perSite);
      if (!(time < length)) break;
      const at = random.integer(used);
      if (random.uniform() * highest >= siteRates[sites[at]]) continue;
      let event = random.uniform() * perSite;
      if (event < fastest) {
        const row = rates[codes[at]];
        let to = 0;
        while (to < letters && event >= row[to]) to++;
        if (to < letters) {
          makeRoom(used);
          codes[at] = to;
        }
        continue;
      }
      event -= fastest;
      const count = random.geometric(1 / indelLength);
      if (event < indels) remove(at, count);
      else insertAfter(at, count);
    }
    return own ? { codes: codes.slice(0, used), sites: sites.slice(0, used) } : start;
  };

  return { frequencies: pi, letter, evolve };
}

/**
 * Rates of HKY85 as running sums over the target letter: a uniform number falls into target j with probability
 * proportional to the rate i → j, and beyond the end when nothing happens. The mean rate is 1.
 */
function rateMatrix(pi: Float64Array, kappa: number): Float64Array[] {
  const isTransition = (i: number, j: number): boolean => pi.length === 4 && i !== j && i % 2 === j % 2;
  const rate = (i: number, j: number): number => (i === j ? 0 : pi[j] * (isTransition(i, j) ? kappa : 1));
  let mean = 0;
  for (let i = 0; i < pi.length; i++) for (let j = 0; j < pi.length; j++) mean += pi[i] * rate(i, j);
  return Array.from(pi, (_, i) => {
    let total = 0;
    return Float64Array.from(pi, (_, j) => (total += rate(i, j) / mean));
  });
}
