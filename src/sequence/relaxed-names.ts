/**
 * @file Names for formats in which a name ends at the first blank.
 */

import { EmbranchError } from "../error.ts";

/**
 * The ids with their blanks as underscores; `format` names the format in errors, `advice` says what to do where two
 * ids become one by that.
 *
 * @throws EmbranchError for an id without a character, and for two that differ in blanks only
 */
export function relaxedNames(ids: readonly string[], format: string, advice: string): string[] {
  const seen = new Map<string, string>();
  return ids.map((id) => {
    const name = id.trim().replace(/\s+/g, "_");
    if (name === "") throw new EmbranchError(`${format}: a name must not be empty; name every sequence`);
    const other = seen.get(name);
    if (other !== undefined) {
      throw new EmbranchError(
        `${format}: names must differ in more than blanks, got "${other}" and "${id}"; ${advice}`,
      );
    }
    seen.set(name, id);
    return name;
  });
}
