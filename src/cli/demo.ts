/** @file `embranch demo`: the main job on simulated data, from nothing to a measured model in a minute or two. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { distanceCommand } from "./distance.ts";
import { embedCommand } from "./embed.ts";
import { evaluateCommand } from "./evaluate.ts";
import { fitCommand } from "./fit.ts";
import { positiveNumber, withExamples } from "./options.ts";
import { openOutput } from "./output.ts";
import { simulateCommand } from "./simulate.ts";

interface DemoOptions {
  output: string;
  minutes: number;
}

export function demoCommand(): Command {
  const command = new Command("demo")
    .summary("the main job on simulated data")
    .description(
      "Simulates reads, fits a model to them, measures it on reads it never saw, and embeds those.",
    )
    .option("-o, --output <folder>", "folder for the files", "embranch-demo")
    .option("--minutes <t>", "training time in minutes", positiveNumber, 1);
  withExamples(command, [["embranch demo --minutes 2", "simulate, fit for two minutes, evaluate, embed"]]);
  return command.action(async ({ output, minutes }: DemoOptions) => {
    await mkdir(output, { recursive: true });
    const file = (name: string) => join(output, name);
    const model = file("model.onnx");
    const verbs: Record<string, (words: readonly string[]) => Command> = {
      simulate: simulateCommand,
      fit: fitCommand,
      evaluate: evaluateCommand,
      embed: embedCommand,
      distance: distanceCommand,
    };
    const steps = [
      ["simulate", "4000", "-o", file("train.fasta"), "--held-out", file("test.fasta")],
      ["fit", file("train.fasta"), "--minutes", String(minutes), "-o", model],
      ["evaluate", file("test.fasta"), "-m", model],
      ["embed", file("test.fasta"), "-m", model, "-o", file("points.parquet")],
      ["distance", file("test.fasta"), "--exact", "-o", file("distances.npy")],
    ];
    const out = await openOutput(undefined);
    for (const words of steps) {
      const [verb, ...args] = words;
      await out.write(`\n$ embranch ${words.join(" ")}\n`);
      await verbs[verb](words).exitOverride().parseAsync(args, { from: "user" });
    }
    await out.write(
      `\nThe report with figures is ${file("model.html")}: open it in a browser.\n` +
        `Now try it on sequences of your own:\n  npx embranch fit your-reads.fasta --minutes 2 -o your-model.onnx\n`,
    );
  });
}
