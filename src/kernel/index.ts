/**
 * @file The kernel room: exact edit distances in WebAssembly, on all cores, and the trees of distances.
 */
export type { AlignmentOptions } from "./alignment.ts";
export { EditDistances, editDistance, type EditDistanceOptions } from "./edit-distance.ts";
export type { Costs, Distances } from "./job.ts";
export { checkCosts, parseCosts, type ParseCostsOptions } from "./costs.ts";
export { packCodes, type PackedCodes } from "./packed.ts";
export type { Progress, RequestOptions } from "./pool.ts";
export { cigar, editScript, type EditOperation, type EditScript } from "./edit-script.ts";
export { gromovDeltas, type GromovDeltas, type GromovOptions } from "./gromov.ts";
export {
  linkage,
  LINKAGE_METHODS,
  type Linkage,
  type LinkageMethod,
  type LinkageOptions,
} from "./linkage.ts";
export { neighborJoining, type JoinedTree, type NeighborJoiningOptions } from "./neighbor-joining.ts";
