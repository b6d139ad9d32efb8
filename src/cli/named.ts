/**
 * @file Options that name one of several things and set it up: `cnn:channels=16,pooling=none`.
 *
 * What there is, its defaults, checks and help all come from the schema beside the thing itself.
 */

import type { z } from "zod";
import { UsageError } from "../error.ts";

/** Something to choose by name. */
interface Kind {
  summary: string;
  options: z.ZodObject;
}

/** A value as its text means: number, truth value, or the text itself. */
function literal(text: string): string | number | boolean {
  if (text === "true" || text === "false") return text === "true";
  const number = Number(text);
  return text.trim() !== "" && !Number.isNaN(number) ? number : text;
}

/** A parser of `name:option=value,…`, for commander; `what` names the things in errors. */
export function namedOptions<Result>(what: string, kinds: Record<string, Kind>): (text: string) => Result {
  return (text) => {
    const [name, ...rest] = text.split(":");
    if (!Object.hasOwn(kinds, name)) {
      throw new UsageError(`--${what}: must be one of ${Object.keys(kinds).join(", ")}, got "${name}"`);
    }
    const settings = rest.join(":");
    const given = settings === "" ? [] : settings.split(",").map((each) => each.split("="));
    const options = Object.fromEntries(given.map(([key, ...value]) => [key, literal(value.join("="))]));
    const parsed = kinds[name].options.safeParse(options);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      const known = Object.keys(kinds[name].options.shape).join(", ");
      const reason =
        issue.code === "unrecognized_keys"
          ? `options of ${name} are ${known === "" ? "none" : known}, got "${issue.keys.join(", ")}"`
          : `${issue.path.join(".")}: ${issue.message}`;
      throw new UsageError(`--${what} ${name}: ${reason}`);
    }
    return { name, ...options } as Result;
  };
}

/** A list of what there is, with options and their defaults, for help. */
export function listKinds(kinds: Record<string, Kind>): string {
  return Object.entries(kinds)
    .map(([name, { summary, options }]) => {
      const defaults = Object.entries(options.parse({})).map(([key, value]) => `${key}=${String(value)}`);
      return `  ${name.padEnd(12)} ${summary}${defaults.length === 0 ? "" : `\n${" ".repeat(15)}${defaults.join(",")}`}`;
    })
    .join("\n");
}
