/**
 * @file The manifest of an index folder: what the folder is, its model, its segments and their checksums.
 */

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { EmbranchError } from "../../error.ts";
import { GEOMETRY_NAMES } from "../../geometry/index.ts";
import { explain, systemCode } from "../../system-error.ts";

export const FORMAT = "embranch index";
export const MANIFEST = "manifest.json";
/** What a folder is marked with before its first index is complete. */
export const MARK = JSON.stringify({ format: FORMAT, building: true });

const fileSchema = z.object({
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  /** Checksum of the first bytes, which is read whenever the file is opened. */
  head: z.string(),
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  embranch: z.string(),
  model: z.object({
    file: z.string(),
    digest: z.string(),
    alphabet: z.enum(["dna", "protein"]),
    length: z.int().positive(),
    dim: z.int().positive(),
    geometry: z.enum(GEOMETRY_NAMES),
  }),
  /** How graphs were built; null where the space has no index. */
  graph: z
    .object({
      metric: z.enum(["l2", "cos"]),
      dims: z.int().positive(),
      connectivity: z.int().positive(),
      expansion: z.int().positive(),
      precision: z.enum(["f32", "f16", "i8"]),
    })
    .nullable(),
  segments: z.array(
    z.object({
      folder: z.string(),
      rows: z.int().nonnegative(),
      files: z.record(z.string(), fileSchema),
      /** Rows that were deleted, ascending. */
      deleted: z.array(z.int().nonnegative()),
    }),
  ),
});

/** A segment as the manifest lists it. */
export type SegmentEntry = IndexManifest["segments"][number];

/** A file as the manifest lists it. */
export type FileEntry = z.infer<typeof fileSchema>;

/** What an index folder says of itself. */
export type IndexManifest = z.infer<typeof manifestSchema>;

/** The manifest of an index folder; throws an `EmbranchError` that says what the path is instead. */
export async function readIndexManifest(path: string): Promise<IndexManifest> {
  let text: string;
  try {
    text = await readFile(join(path, MANIFEST), "utf8");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw explain(error, path, "read");
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    throw new EmbranchError(
      there
        ? `${path}: must be an index of \`embranch index\`, got a folder without a manifest; build it (again)`
        : `${path}: there is no such index; build one with \`embranch index\``,
    );
  }
  if (text === MARK) {
    throw new EmbranchError(`${path}: the building of this index was interrupted; build it again`);
  }
  const parsed = parseManifest(text);
  if (parsed !== undefined) return parsed;
  throw new EmbranchError(
    `${join(path, MANIFEST)}: must be the manifest of an index that this program knows, got something else; build the index again`,
  );
}

/** The manifest that a text is; undefined for any other text. */
export function parseManifest(text: string): IndexManifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
