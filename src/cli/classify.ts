/** @file `embranch classify`: training classifiers and using them; its verbs have files of their own. */

import { Command } from "commander";
import { classifyBenchmarkCommand } from "./classify-benchmark.ts";
import { classifyEvaluateCommand } from "./classify-evaluate.ts";
import { classifyFitCommand } from "./classify-fit.ts";
import { classifyPredictCommand } from "./classify-predict.ts";
import { withExamples } from "./options.ts";

/** `words` is the command line as it was given. */
export function classifyCommand(words: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("classify")
    .summary("tell classes of sequences apart")
    .description(
      "Trains a network that tells classes of sequences apart, a convolutional one or the same in hyperbolic space, and uses and measures it. It learns from the train part of labelled sequences, is chosen by its Matthews correlation on dev, and test is left for evaluate.",
    );
  // Settings of the program, such as how it ends, are known when a subcommand is about to run.
  command
    .addCommand(classifyFitCommand(words))
    .addCommand(classifyPredictCommand())
    .addCommand(classifyEvaluateCommand(words))
    .addCommand(classifyBenchmarkCommand(words))
    .hook("preSubcommand", (classify, verb) => void verb.copyInheritedSettings(classify));
  return withExamples(command, [
    ["embranch classify fit promoters.csv --minutes 5 -o promoters.onnx", "train, with the split that the table has"],
    ["embranch classify evaluate promoters.csv -m promoters.onnx", "how good it is on the test part"],
    ["embranch classify predict genome.fasta -m promoters.onnx -o classes.tsv", "classes of other sequences"],
  ]); // prettier-ignore
}
