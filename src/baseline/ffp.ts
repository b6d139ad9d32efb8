/**
 * @file Feature frequency profiles: Jensen–Shannon divergence between the frequencies of long k-mers (SPEC A9).
 *
 * With p and q the frequencies of a k-mer in two sequences, the divergence is the mean of Σ p·log₂(2p/(p + q)) and
 * Σ q·log₂(2q/(p + q)). A k-mer that only one of them holds gives half its frequency whatever else there is, so
 *
 *   JS = 1 − ½ Σ p·log₂(1 + q/p) + q·log₂(1 + p/q)   over the k-mers that both hold,
 *
 * in bits, from 0 for equal profiles to 1 for profiles that share nothing. At the lengths k = 8, 9, 10 that the
 * method is used with, most k-mers come once in a sequence; their terms are all the same, and computed once a
 * pair. Differences of the order of 10⁻¹⁶ are rounding.
 *
 * Sims, Jun, Wu and Kim, "Alignment-free genome comparison with feature frequency profiles (FFP) and optimal
 * resolutions", PNAS 2009.
 */

import { forEachPair, pairCount, type KmerProfiles, type PairOptions } from "./profile.ts";

/** Twice the share of the divergence that is not there because both profiles hold a k-mer. */
function agreement(p: number, q: number): number {
  return p * Math.log2(1 + q / p) + q * Math.log2(1 + p / q);
}

/** Jensen–Shannon divergences of k-mer frequencies, in bits, [pairs]; sequences without k-mers are all equal. */
export function ffpDistances(profiles: KmerProfiles, options: PairOptions = {}): Float32Array {
  const { offsets, columns, counts, totals } = profiles;
  const result = new Float32Array(pairCount(profiles, options));
  forEachPair(profiles, options, (at, i, j, row) => {
    const [x, y] = [totals[i], totals[j]];
    let once = 0;
    let sum = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const a = row[columns[e]];
      if (a === 0) continue;
      const b = counts[e];
      if (a === 1 && b === 1) once++;
      else sum += agreement(a / x, b / y);
    }
    if (once > 0) sum += once * agreement(1 / x, 1 / y);
    result[at] = x + y === 0 ? 0 : Math.max(0, 1 - sum / 2);
  });
  return result;
}
