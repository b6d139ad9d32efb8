/** @file Spaces to embed in, and the geometry behind them. */
export { createSpace, GEOMETRY_NAMES, isGeometryName } from "./space.ts";
export type { GeometryName, Space, SpaceOptions } from "./space.ts";
export { MAXIMUM_RADIUS } from "./geometries.ts";
export type { Cancellation, InitialValues } from "./geometries.ts";
export type { Parameters, ParameterValues } from "./parameters.ts";
export { CLOSE, refineClose } from "./refine.ts";
export { geometricMedian, meanDistance, type MedianOptions } from "./median.ts";
export { MAXIMUM_INDEX_RADIUS } from "./neighbor-vectors.ts";
export type { IndexMetric, IndexVectors } from "./neighbor-vectors.ts";

export { artanh, asinh, safeSqrt, sinh, tanh } from "./elementary.ts";
export type { Scalar } from "./elementary.ts";
export { cosineDistance, cosineDistances, exactCosineDistance } from "./cosine.ts";
export { euclideanDistance, euclideanDistances, exactEuclideanDistance } from "./euclidean.ts";
export { exactManhattanDistance, manhattanDistance, manhattanDistances } from "./manhattan.ts";
export { squaredDistance, squaredDistances } from "./vector.ts";

export {
  exactPoincareDistance,
  exactSphereDistance,
  MAXIMUM_NORM,
  poincareDistance,
  poincareDistances,
  sphereDistance,
  sphereDistances,
} from "./poincare.ts";
export {
  ballExp,
  ballExp0,
  ballLog,
  ballLog0,
  ballProject,
  ballTransport,
  conformalFactor,
  gyration,
  mobiusAdd,
  mobiusScale,
} from "./ball-maps.ts";

export { exactLorentzDistance, lorentzDistance, lorentzDistances } from "./lorentz.ts";
export {
  fromBall,
  hyperboloidCentroid,
  hyperboloidExp,
  hyperboloidExp0,
  hyperboloidLog,
  hyperboloidLog0,
  hyperboloidPoint,
  hyperboloidProject,
  hyperboloidTransport,
  lorentzInner,
  tangentNorm,
  tangentProject,
  toBall,
} from "./hyperboloid-maps.ts";
