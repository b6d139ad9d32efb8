/** @file The machine a result is from. */

import { cpus } from "node:os";
import { VERSION } from "./version.ts";

/** What a measurement was made with. */
export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  embranch: string;
}

/** The machine this process runs on. */
export function thisMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0].model,
    cores: processors.length,
    node: process.version,
    embranch: VERSION,
  };
}

/** Processors and versions of Node that results are from, and the versions of ours. */
export function machinesText(machines: readonly Machine[]): { machines: string; versions: string } {
  const different = (texts: readonly string[], separator: string) => [...new Set(texts)].join(separator);
  return {
    machines: different(
      machines.map(({ cpu, cores, node }) => `${cpu}, ${cores} cores, Node ${node}`),
      "; ",
    ),
    versions: different(
      machines.map(({ embranch }) => embranch),
      ", ",
    ),
  };
}
