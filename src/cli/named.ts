/**
 * @file Options that name one of several things and set it up: `cnn:channels=16,pooling=none`.
 *
 * What there is, its defaults, checks and help all come from the schema beside the thing itself.
 */

import type { z } from "zod";
import { UsageError } from "../error.ts";
import { brokenRule, explainIssue } from "../schema-issue.ts";

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
          : `${issue.path.join(".")}: ${explainIssue(issue, options[String(issue.path[0])])}`;
      throw new UsageError(`--${what} ${name}: ${reason}`);
    }
    return { name, ...options } as Result;
  };
}

/** A list of what there is, with options, their defaults and the words they take, for help. */
export function listKinds(kinds: Record<string, Kind>): string {
  return Object.entries(kinds)
    .map(([name, { summary, options }]) => {
      const defaults = Object.entries(options.parse({})).map(([key, value]) => `${key}=${String(value)}`);
      const lines = [defaults.join(","), notes(options).join("; ")].filter((line) => line !== "");
      return [`  ${name.padEnd(12)} ${summary}`, ...lines.map((line) => " ".repeat(15) + line)].join("\n");
    })
    .join("\n");
}

/** What options mean, a line each, for help. */
export function listMeanings({ shape }: z.ZodObject): string {
  const meanings = Object.entries(shape);
  return meanings.map(([name, { description = "" }]) => `  ${name.padEnd(12)} ${description}`).join("\n");
}

/** What a line of defaults does not tell: the words that options take, and options without a default. */
function notes({ shape }: z.ZodObject): string[] {
  return Object.entries(shape as Record<string, z.ZodType>).flatMap(([key, schema]) => {
    const { data } = schema.safeParse(undefined);
    if (data === undefined) return [`${key}: ${schema.description}`];
    if (typeof data !== "string") return [];
    // A word that is none is refused with the rule that tells which are some.
    const [issue] = schema.safeParse("?").error?.issues ?? [];
    return issue === undefined ? [] : [`${key}: ${brokenRule(issue).replace(/^must be /, "")}`];
  });
}
