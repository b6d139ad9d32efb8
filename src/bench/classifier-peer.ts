/**
 * @file Our classifiers as a process that answers as bench/peers/torch_classifier.py does, so that both sides are
 * timed alike, and their memory is told apart.
 *
 * Arguments: threads, length, network, sequences in a batch. It says its version and how many numbers the network
 * learns, and then answers each line {"steps": n} with the seconds and losses of n steps.
 */

import { createInterface } from "node:readline";
import type { ClassifierName } from "../nn/classifier.ts";
import { VERSION } from "../version.ts";
import { ClassifierSteps } from "./classifier-steps.ts";

const [threads, length, network, batch] = process.argv.slice(2);
const steps = await ClassifierSteps.create({
  network: network as ClassifierName,
  length: Number(length),
  batch: Number(batch),
  threads: Number(threads),
});

function say(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

say({ version: `embranch ${VERSION}`, parameters: steps.learned });
for await (const line of createInterface({ input: process.stdin })) {
  say(await steps.run((JSON.parse(line) as { steps: number }).steps));
}
