/**
 * @file The recipe and the space that options of `fit` come to.
 */

import { DEFAULT_RECIPE, paperRecipe, type Recipe } from "../engine/recipe.ts";
import { UsageError } from "../error.ts";
import type { GeometryName, SpaceOptions } from "../geometry/index.ts";
import { lossKind } from "../nn/losses.ts";
import type { FitOptions } from "./fit.ts";

/** Sequences in a batch of triples: 128 of them. */
const TRIPLE_BATCH = 384;

/**
 * Adam's ε beside a regulariser. Its authors sum both losses over 1,024 pairs (SPEC B5), which for the usual 1e-8 is
 * next to nothing; beside the gradient of λ times a mean it is not, and attention maps stay flat.
 */
const FINE_EPSILON = 1e-8 / 1024;

/** The recipe that is asked for, with what is set one by one; throws a `UsageError` on what makes no batches. */
export function recipeOf(
  { recipe: name, settings = {}, distances, family, regularizer }: FitOptions,
  sequences: number,
): Recipe {
  const base = name === "paper" ? paperRecipe(sequences, family) : DEFAULT_RECIPE;
  const { loss = base.loss } = settings;
  const kind = lossKind(loss.name);
  const ofTriples = kind.of === "triples";
  let { batch = ofTriples ? TRIPLE_BATCH : base.batch } = settings;
  if (batch < 2) throw new UsageError(`batch: must be at least 2 sequences, got ${batch}`);
  if (ofTriples && batch % 3 !== 0) {
    throw new UsageError(`batch: must be a multiple of 3, since the loss is of triples, got ${batch}`);
  }
  const mates = ofTriples
    ? "the loss takes triples of real sequences"
    : `the ${base.name} recipe makes up no sequences`;
  const real = ofTriples || base.pairs === "sampled";
  if (!ofTriples && base.pairs === "sampled" && batch % 2 !== 0) {
    throw new UsageError(`batch: must be even, since its halves are paired, got ${batch}`);
  }
  // Only the kernel can label made-up sequences; without any, a small set makes small batches.
  if ((distances !== undefined || settings.augmented === 0) && !real)
    batch = Math.min(batch, 2 * Math.floor(sequences / 2));
  const share = distances === undefined && !real ? base.augmented / base.batch : 0;
  if (family !== undefined && ofTriples) {
    throw new UsageError(`family: needs a loss of pairs, got ${loss.name}`);
  }
  // A batch of all pairs is one family and its made-up relatives.
  if (family !== undefined && !real) batch = Math.min(batch, 2 * Math.floor(family / (1 - share) / 2));
  const { augmented = Math.round(share * batch) } = settings;
  if (augmented > 0 && real) throw new UsageError(`augmented: ${mates}; leave it out`);
  if (augmented > 0 && distances !== undefined) {
    throw new UsageError("augmented: given distances cannot label made-up sequences; leave it out");
  }
  const isRegularized = (regularizer?.name ?? "none") !== "none";
  if (isRegularized && (ofTriples || batch % 2 !== 0)) {
    throw new UsageError(
      `regularizer: needs a loss of pairs and an even batch, got ${loss.name} and ${batch}`,
    );
  }
  if (augmented >= batch) {
    throw new UsageError(`augmented: must be below the batch of ${batch}, got ${augmented}`);
  }
  // What learns order alone could make its loss small by scale alone.
  const rates = kind.orderOnly ? { ...settings.rates, space: 0 } : settings.rates;
  return {
    ...base,
    ...settings,
    batch,
    augmented,
    rates,
    calibrate: (settings.calibrate ?? base.calibrate) && !kind.orderOnly,
    optimizer: { ...(isRegularized && { epsilon: FINE_EPSILON }), ...base.optimizer, ...settings.optimizer },
  };
}

/**
 * A space as the default recipe starts it: a learned scale (fitted to the first batch) and a learned power of
 * the distance. With the power, the hyperbolic space starts at the radius where it bends most like edit
 * distances do; without it, nearly flat, and curvature is learned as far as the data asks for it. A model that
 * learns order alone keeps the papers' radius for it, and a scale that is fitted when it is validated.
 */
function defaultSpace(geometry: GeometryName, exponent: boolean, orderOnly: boolean): SpaceOptions {
  const curved = orderOnly ? 0.5 : exponent ? 0.4 : 0.1;
  const radius = geometry === "hyperbolic" ? { radius: curved } : {};
  // Cosine distance is the square of a chord: a greater power of it leaves no gradient to sequences that are near.
  const isSquare = geometry === "square" || geometry === "cosine";
  const power = exponent ? { exponent: isSquare ? 1 : 1.5 } : {};
  return { scale: true, exponent, initial: { ...radius, ...power } };
}

/** The space that is asked for, or else that of the recipe; with a power if that is asked for. */
export function spaceOf(geometry: GeometryName, options: FitOptions, recipe: Recipe): SpaceOptions {
  const orderOnly = lossKind(recipe.loss.name).orderOnly ?? false;
  const isPaper = recipe.name === "paper";
  const { space = isPaper && !orderOnly ? {} : undefined, exponent } = options;
  // What learns order alone gets its scale when it is validated.
  if (space !== undefined)
    return { ...space, ...(orderOnly && { scale: true }), ...(exponent && { exponent }) };
  return defaultSpace(geometry, !orderOnly && (exponent ?? !isPaper), orderOnly);
}
