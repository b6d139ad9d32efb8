/** @file What `embranch classify` says of a classifier's answers: tables for people, objects for programs. */

import type { Interval } from "../task/classify/bootstrap.ts";
import type {
  ClassifierEvaluation,
  CopiesJudged,
  EvaluatedPart,
  Judgement,
} from "../task/classify/evaluate.ts";
import { formatCount } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

/** Classes beyond which a confusion matrix is too wide for a terminal. */
const MOST_COLUMNS = 12;
/** Confusions that are listed instead. */
const LISTED = 10;
/** Letters of a class's name that are shown at the head of a column. */
const HEAD_LETTERS = 12;

/** Scores, classes and confusions as text, without a line break at the end. */
export function scoresText({ scores, intervals }: Pick<Judgement, "scores" | "intervals">): string {
  const { mcc, accuracy, balancedAccuracy, macroF1, auc, ece, logLoss, brier, perClass, confusion } = scores;
  const number = (value: number | null) => decimals(value, 4);
  const within = (interval: Interval | null | undefined) =>
    interval ? `${number(interval[0])} to ${number(interval[1])}` : "";
  const rows = [
    ["measure", "value", "95 % interval", "meaning"],
    ["MCC", number(mcc), within(intervals?.mcc), "correlation of answers and classes: 1 perfect, 0 chance"],
    ["accuracy", number(accuracy), within(intervals?.accuracy), "share of right answers"],
    ["balanced accuracy", number(balancedAccuracy), within(intervals?.balancedAccuracy), "mean recall of the classes"],
    ["macro F1", number(macroF1), within(intervals?.macroF1), "mean F1 of the classes"],
    ["AUC", number(auc), within(intervals?.auc), "area under the ROC curve, one class against the rest"],
    ["ECE", number(ece), within(intervals?.ece), "calibration: how far probabilities are from shares of right answers"],
    ["log loss", number(logLoss), "", "mean −ln of the probability of the true class"],
    ["Brier", number(brier), "", "mean squared error of the probabilities, 0 to 2"],
  ]; // prettier-ignore
  const classes = [
    ["class", "sequences", "precision", "recall", "F1", "AUC"],
    ...perClass.map(({ name, support, precision, recall, f1, auc }) => [
      name,
      formatCount(support),
      ...[precision, recall, f1, auc].map(number),
    ]),
  ];
  const names = perClass.map(({ name }) => name);
  return [formatTable(rows, { align: "lrll" }), formatTable(classes), confusionText(confusion, names)].join(
    "\n\n",
  );
}

function confusionText(confusion: readonly (readonly number[])[], names: readonly string[]): string {
  if (names.length <= MOST_COLUMNS) {
    const heads = names.map((name) =>
      name.length > HEAD_LETTERS ? `${name.slice(0, HEAD_LETTERS - 1)}…` : name,
    );
    const rows = confusion.map((row, k) => [names[k], ...row.map(formatCount)]);
    return formatTable([["class \\ answer", ...heads], ...rows]);
  }
  const confusions = confusion
    .flatMap((row, actual) => row.map((count, answer) => ({ actual, answer, count })))
    .filter(({ actual, answer, count }) => actual !== answer && count > 0)
    .sort((a, b) => b.count - a.count)
    .slice(0, LISTED)
    .map(({ actual, answer, count }) => [names[actual], names[answer], formatCount(count)]);
  return formatTable([["most confused", "answered as", "sequences"], ...confusions], { align: "llr" });
}

/** What is said of sequences of a part that training has seen; nothing where there are none. */
export function copiesNote(part: string, copies: CopiesJudged | null): string | undefined {
  if (copies === null || copies.sequences === 0) return undefined;
  const { sequences, contradicting, mccWithout } = copies;
  const other = contradicting === 0 ? "" : ` (${formatCount(contradicting)} with another class)`;
  const rest = mccWithout === null ? "" : `; MCC without them ${mccWithout.toFixed(4)}`;
  return `${formatCount(sequences)} sequences of ${part} are copies of training sequences${other}${rest}`;
}

/** What is said of sequences that the model may have learned from; nothing where a split sets them apart. */
export function learnedNote(
  learned: ClassifierEvaluation["learned"],
  part: EvaluatedPart,
  isSplit: boolean,
): string | undefined {
  if (learned === null) return undefined;
  if (learned === "possible") {
    const why = isSplit ? `--split ${part}` : "no split";
    return `${why}: these may be the sequences it learned from, and others harder`;
  }
  if (part === "dev")
    return "the model was chosen by these sequences: others are likely to be a little harder";
  const are = part === "all" && isSplit ? "among these are" : "these are";
  return `${are} the sequences it learned from: others are likely to be harder`;
}
