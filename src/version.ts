/** @file The version of the package, as package.json has it. */

import { readFileSync } from "node:fs";

/** Version of this package. */
export const VERSION = (
  JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string }
).version;
