/** @file What the help of `classify` says of the networks. */

import type { Command } from "commander";
import { CLASSIFIERS, classifierOptions } from "../nn/classifier.ts";
import { listKinds, listMeanings } from "./named.ts";

/** Adds the networks and what their options mean. */
export function withNetworks(command: Command): Command {
  return command.addHelpText(
    "after",
    `\nNetworks:\n${listKinds(CLASSIFIERS)}\n\nTheir options:\n${listMeanings(classifierOptions)}`,
  );
}
