/**
 * @file Simulated evolution: a birth–death tree and the sequences at its leaves.
 *
 * The root sequence is a patchwork of conserved and variable regions, with gamma-distributed rates within them
 * (as ribosomal RNA has); lineages have rates of their own (an uncorrelated log-normal clock); letters change by
 * HKY85 with insertions and deletions. The defaults resemble 16S V4 reads of a microbiome: 150 letters, a median
 * edit distance of about 30 % of the length between two leaves, and many close relatives.
 *
 * Leaves come out one by one in a depth-first walk, so memory is that of the tree (16 bytes a leaf) and of the
 * sequences on one path from the root: a million leaves take less than 200 MB, Node included. Every stream is
 * a function of the seed alone and can be taken again.
 *
 * Sources: Yang, "Maximum-likelihood phylogenetic estimation from DNA sequences with variable rates over sites",
 * Journal of Molecular Evolution 1994; Drummond, Ho, Phillips and Rambaut, "Relaxed phylogenetics and dating
 * with confidence", PLoS Biology 2006; Marsaglia and Tsang, "A simple method for generating gamma variables",
 * ACM Transactions on Mathematical Software 2000.
 */

import { UsageError } from "../error.ts";
import { decode, DNA, type Alphabet } from "./alphabet.ts";
import { birthDeathTree, type BinaryTree } from "./birth-death.ts";
import { formatNewickName, type TreeNode } from "./newick.ts";
import { Random } from "./random.ts";
import type { SequenceRecord } from "./record.ts";
import { substitutionModel, type Lineage, type SubstitutionModel } from "./substitution.ts";

export interface SimulateOptions {
  /** How many sequences to make. */
  leaves: number;
  seed?: number;
  alphabet?: Alphabet;
  /** Letters of the root sequence; with indels the leaves differ a little. */
  length?: number;
  /** Expected substitutions a site from the root to a leaf, averaged over sites and lineages. */
  height?: number;
  /** Speciation rate of the tree. */
  birth?: number;
  /** Extinction rate, from 0 to `birth`; the closer to `birth`, the more close relatives. */
  death?: number;
  /** Standard deviation of the logarithm of a branch's rate; 0 is a strict clock. */
  clock?: number;
  /** Shape of the gamma distribution of rates over sites; `Infinity` for equal rates. */
  gamma?: number;
  /** Part of the sequence that lies in conserved regions, from 0 to 1. */
  conserved?: number;
  /** Mean length of a region, in letters. */
  region?: number;
  /** Rate of conserved regions over that of variable ones. */
  conservedRate?: number;
  /** Equilibrium frequencies of the letters; equal by default. */
  frequencies?: readonly number[];
  /** Transition over transversion rate (DNA). */
  kappa?: number;
  /** Insertions, and as many deletions, per substitution. */
  indels?: number;
  /** Mean length of an insertion or deletion. */
  indelLength?: number;
  /** What the names of the leaves begin with; the leaf's number from 1 follows. */
  prefix?: string;
}

/** A simulated history; each method can be called any number of times and gives the same every time. */
export interface Simulation {
  /** Codes of the sequence at the root. */
  readonly root: Uint8Array;
  /** Relative rate of each site of the root; mean 1. */
  readonly siteRates: Float64Array;
  /** Codes of the leaves, from left to right (neighbours are relatives). */
  leaves(): Generator<{ id: string; codes: Uint8Array }, void, undefined>;
  /** The leaves as records. */
  records(): Generator<SequenceRecord, void, undefined>;
  /** The tree as Newick, in pieces; lengths are expected substitutions a site. */
  newick(): Generator<string, void, undefined>;
  /** The tree in memory. */
  tree(): TreeNode;
}

/** Simulates evolution; throws `UsageError` for parameters outside their domain. */
export function simulate({
  leaves,
  seed = 1,
  alphabet = DNA,
  length = 150,
  height = 0.33,
  birth = 1,
  death = 0.7,
  clock = 0.4,
  gamma = 1,
  conserved = 0.4,
  region = 20,
  conservedRate = 0.1,
  frequencies = new Array<number>(alphabet.size).fill(1),
  kappa = 2,
  indels = 0.02,
  indelLength = 2,
  prefix = "leaf",
}: SimulateOptions): Simulation {
  if (!Number.isSafeInteger(length) || length < 1) {
    throw new UsageError(`length: must be an integer from 1, got ${length}`);
  }
  if (!(height >= 0 && Number.isFinite(height)))
    throw new UsageError(`height: must be at least 0, got ${height}`);
  if (!(clock >= 0 && clock <= 5)) throw new UsageError(`clock: must be from 0 to 5, got ${clock}`);
  if (frequencies.length !== alphabet.size) {
    throw new UsageError(`frequencies: must be ${alphabet.size} numbers, got ${frequencies.length}`);
  }
  const random = new Random(seed);
  const tree = birthDeathTree({ leaves, birth, death, random: random.fork("tree") });
  const model = substitutionModel({ frequencies, kappa, indels, indelLength });
  const siteRates = drawSiteRates({
    length,
    gamma,
    conserved,
    region,
    conservedRate,
    random: random.fork("sites"),
  });
  const rootRandom = random.fork("root");
  const root: Lineage = {
    codes: Uint8Array.from({ length }, () => model.letter(rootRandom)),
    sites: Uint32Array.from({ length }, (_, i) => i),
  };
  const branchLength = relaxedClock(tree, { height, clock, random: random.fork("clock") });
  const name = (leaf: number): string => `${prefix}${leaf + 1}`;

  function* leafCodes(): Generator<{ id: string; codes: Uint8Array }, void, undefined> {
    const evolution = { root, model, siteRates, branchLength, random: random.fork("history") };
    for (const { leaf, codes } of evolveLeaves(tree, evolution)) yield { id: name(leaf), codes };
  }

  return {
    root: root.codes,
    siteRates,
    leaves: leafCodes,
    *records() {
      for (const { id, codes } of leafCodes()) {
        yield { id, description: "", sequence: decode(codes, alphabet) };
      }
    },
    newick: () => treePieces(tree, branchLength, name),
    tree: () => treeNodes(tree, branchLength, name),
  };
}

/** Length of the branch from an inner node to a child, in substitutions a site; children below 0 are leaves. */
export type BranchLength = (parent: number, child: number) => number;

/** How sequences change along a tree. */
export interface Evolution {
  root: Lineage;
  model: SubstitutionModel;
  /** [sites] Relative rates. */
  siteRates: Float64Array;
  branchLength: BranchLength;
  random: Random;
}

/** Sequences at the leaves of a tree, from left to right: one walk, of which those on a path are in memory. */
export function* evolveLeaves(
  tree: BinaryTree,
  { root, model, siteRates, branchLength, random }: Evolution,
): Generator<{ leaf: number; codes: Uint8Array }, void, undefined> {
  const stack = [{ node: tree.root, parent: -1, above: root }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, parent, above } = top;
    const here = parent < 0 ? above : model.evolve(above, siteRates, branchLength(parent, node), random);
    if (node < 0) {
      yield { leaf: ~node, codes: here.codes.slice() };
    } else {
      stack.push({ node: tree.right[node], parent: node, above: here });
      stack.push({ node: tree.left[node], parent: node, above: here });
    }
  }
}

/** Length of the branch between two nodes: time, scaled to `height`, times the branch's own rate (mean 1). */
function relaxedClock(
  tree: BinaryTree,
  { height, clock, random }: { height: number; clock: number; random: Random },
): BranchLength {
  const scale = tree.root < 0 ? 0 : height / tree.depth[tree.root];
  return (parent, child) => {
    const time = tree.depth[parent] - (child < 0 ? 0 : tree.depth[child]);
    if (clock === 0) return time * scale;
    // The stream is read at the branch's own place, so that the rate does not depend on who asks first.
    random.position = 2 * (child < 0 ? tree.leaves + ~child : child);
    return time * scale * Math.exp(clock * random.normal() - (clock * clock) / 2);
  };
}

function* treePieces(
  tree: BinaryTree,
  branchLength: BranchLength,
  name: (leaf: number) => string,
): Generator<string, void, undefined> {
  /** Child references still to write; strings are written as they are. */
  const stack: (string | { node: number; parent: number })[] = [";", { node: tree.root, parent: -1 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    if (typeof top === "string") {
      yield top;
      continue;
    }
    const { node, parent } = top;
    const length = parent < 0 ? "" : `:${roundLength(branchLength(parent, node))}`;
    if (node < 0) {
      yield formatNewickName(name(~node)) + length;
    } else {
      stack.push(`)${length}`, { node: tree.right[node], parent: node }, ",");
      stack.push({ node: tree.left[node], parent: node }, "(");
    }
  }
}

function treeNodes(tree: BinaryTree, branchLength: BranchLength, name: (leaf: number) => string): TreeNode {
  const make = (node: number): TreeNode => ({ name: node < 0 ? name(~node) : "", children: [] });
  const root = make(tree.root);
  const stack = [{ node: tree.root, made: root }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, made } = top;
    if (node < 0) continue;
    for (const child of [tree.left[node], tree.right[node]]) {
      const below = make(child);
      below.length = roundLength(branchLength(node, child));
      made.children.push(below);
      stack.push({ node: child, made: below });
    }
  }
  return root;
}

/** Six significant digits: more than any estimate of a branch, and half the size of the file. */
const roundLength = (length: number): number => Number(length.toPrecision(6));

interface SiteRateOptions {
  length: number;
  gamma: number;
  conserved: number;
  region: number;
  conservedRate: number;
  random: Random;
}

/** Relative rates of sites, mean 1: regions of geometric length, gamma-distributed rates within. */
function drawSiteRates({
  length,
  gamma,
  conserved,
  region,
  conservedRate,
  random,
}: SiteRateOptions): Float64Array {
  if (!(gamma > 0)) throw new UsageError(`gamma: must be above 0, got ${gamma}`);
  if (!(conserved >= 0 && conserved <= 1))
    throw new UsageError(`conserved: must be from 0 to 1, got ${conserved}`);
  if (!(region >= 1)) throw new UsageError(`region: must be at least 1, got ${region}`);
  if (!(conservedRate >= 0 && conservedRate <= 1)) {
    throw new UsageError(`conservedRate: must be from 0 to 1, got ${conservedRate}`);
  }
  const rates = new Float64Array(length);
  let isConserved = false;
  let end = 0;
  for (let site = 0; site < length; site++) {
    if (site === end) {
      isConserved = random.uniform() < conserved;
      end = site + random.geometric(1 / region);
    }
    const rate = gamma === Infinity ? 1 : drawGamma(gamma, random) / gamma;
    rates[site] = isConserved ? rate * conservedRate : rate;
  }
  const mean = rates.reduce((a, b) => a + b, 0) / length;
  return mean > 0 ? rates.map((rate) => rate / mean) : rates.fill(1);
}

/** Gamma with the given shape and scale 1 (Marsaglia and Tsang; below shape 1 by the power of a uniform). */
function drawGamma(shape: number, random: Random): number {
  if (shape < 1) return drawGamma(shape + 1, random) * Math.pow(1 - random.uniform(), 1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = random.normal();
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.uniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) return d * v;
  }
}
