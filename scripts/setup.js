/**
 * @file Makes a fresh clone ready: installs what the lockfile names, and builds, where either is out of date.
 *
 * `npm start` and `npm test` run it first, so that each is the only command to know. It uses nothing but Node.
 */

import { execSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

process.chdir(join(import.meta.dirname, ".."));

/** When a file was last written; 0 where there is none. */
const written = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

/** When anything below a folder was last written. */
const newest = (folder) =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true }).map((entry) =>
      entry.isFile() ? written(join(entry.parentPath ?? entry.path, entry.name)) : 0,
    ),
  );

const run = (command) => execSync(command, { stdio: "inherit" });

if (written("node_modules/.package-lock.json") < written("package-lock.json")) run("npm ci");
const built = Math.min(
  written("dist/cli/main.js"),
  written("dist/kernel/kernel.wasm"),
  written("dist/.built"),
);
if (built < Math.max(newest("src"), written("package-lock.json"), written("tsconfig.build.json")))
  run("npm run build");
