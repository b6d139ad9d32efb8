/**
 * @file What a schema finds wrong with a value, in the words that all our errors have: `must be above 0, got -1`.
 */

import type { z } from "zod";

/** What values of a type are called. */
const TYPES: Record<string, string> = {
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  string: "text",
};

/** The rule that a value breaks, such as `must be above 0`. */
export function brokenRule(issue: z.core.$ZodIssue): string {
  const { code, message } = issue;
  if (code === "too_small") return `must be ${issue.inclusive ? "at least" : "above"} ${issue.minimum}`;
  if (code === "too_big") return `must be ${issue.inclusive ? "at most" : "below"} ${issue.maximum}`;
  if (code === "invalid_type") return `must be ${TYPES[issue.expected] ?? issue.expected}`;
  if (code === "invalid_value") return `must be one of ${issue.values.join(", ")}`;
  return message;
}

/** The rule that a value breaks, and the value. */
export function explainIssue(issue: z.core.$ZodIssue, value: unknown): string {
  const rule = brokenRule(issue);
  // A rule of our own may tell the value itself.
  return / got /.test(rule)
    ? rule
    : `${rule}, got ${typeof value === "string" ? `"${value}"` : String(value)}`;
}
