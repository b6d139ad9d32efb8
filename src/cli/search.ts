/** @file `embranch search`: the nearest references of every query, streaming. */

import { Command, Option } from "commander";
import { stat } from "node:fs/promises";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { EditDistances } from "../kernel/index.ts";
import { readSequences, type Alphabet, type AlphabetName } from "../sequence/index.ts";
import {
  COLUMNS,
  DEFAULT_COLUMNS,
  hitLines,
  lineValues,
  parseColumns,
  tableLine,
  TAXONOMY_COLUMNS,
  ucRecords,
  type ColumnName,
} from "../task/search/hit-table.ts";
import { referencesInMemory } from "../task/search/memory.ts";
import { RecallCheck, type RecallEstimate } from "../task/search/recall.ts";
import type { References } from "../task/search/references.ts";
import { search, type QueryHits } from "../task/search/search.ts";
import { indexStore, isPostgres } from "../task/search/store.ts";
import { consensusOf, countWithoutLineage, type Consensus } from "../task/search/taxonomy.ts";
import { openInput } from "./input.ts";
import { LetterWatch, loadSequences, loadTaxonomy, readBytes } from "./load.ts";
import {
  positiveInteger,
  share,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeOutput, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface SearchCliOptions extends CommonOptions {
  in: string;
  model?: string;
  output?: string;
  top: number;
  rerank: number;
  minIdentity: number;
  strand: "plus" | "both";
  exact?: boolean;
  scan?: boolean;
  ef?: number;
  format?: ColumnName[] | "uc";
  header?: boolean;
  taxonomy?: string;
  minConsensus: number;
  lineages?: string;
  check?: number;
  alphabet?: AlphabetName;
  seed: number;
  device: Device;
}

const columnList = Object.entries(COLUMNS)
  .map(([name, [meaning]]) => `  ${name.padEnd(11)} ${meaning}`)
  .join("\n");

export function searchCommand(): Command {
  const command = new Command("search")
    .summary("the nearest references of every query")
    .description(
      "Finds the nearest references of every query: by the embedding, then, among the nearest points, by exact edit distance. Edits and identities are always exact; what share of the queries got their true nearest reference is measured on some of them and reported. Memory does not grow with the queries.",
    )
    .argument("<queries>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .requiredOption(
      "--in <references>",
      "an index of `embranch index`, a file of sequences (with -m or --exact), or postgres://…",
    )
    .option("-m, --model <file>", "model of `embranch fit`; an index has its own")
    .option("-o, --output <file>", "hits: a table, or .uc by its name (default: a table on standard output)")
    .option("--top <k>", "hits a query, at most", positiveInteger, 10)
    .option("--rerank <n>", "nearest points put in order by exact edit distance; 0: none", wholeNumber, 50)
    .option("--min-identity <x>", "least identity of a hit, 0 to 1", share, 0)
    .addOption(
      new Option("--strand <which>", "strands of a query to look for")
        .choices(["plus", "both"])
        .default("plus"),
    )
    .option("--exact", "compare with all references by exact edit distance; needs no model")
    .option("--scan", "compare with all points instead of following the graph")
    .option("--ef <n>", "points that the graph looks at: more find more (default: 128)", positiveInteger)
    .option("--format <columns>", "columns of the table, listed below, separated by commas; or uc", (text) =>
      text === "uc" ? text : parseColumns(text),
    )
    .option("--header", "begin the table with the names of its columns")
    .option("--taxonomy <file>", "lineages of the references: id, tab, names separated by ;")
    .option("--min-consensus <x>", "with --taxonomy: share of the hits that must agree", share, 0.51)
    .option("--lineages <file>", "with --taxonomy: table of the queries' lineages alone")
    .option(
      "--check <n>",
      "queries compared with all references to measure the recall; 0: none (default: what a moment allows, 10 to 200)",
      wholeNumber,
    );
  withCommonOptions(
    withDevice(withAlphabet(withSeed(command), "the model's, or guessed from the references")),
  );
  command.addHelpText("after", `\nColumns (the default: ${DEFAULT_COLUMNS.join(",")}):\n${columnList}`);
  withExamples(command, [
    [
      "embranch search reads.fasta --in refs.idx --top 5 -o hits.tsv",
      "the 5 nearest references of every read",
    ],
    [
      "embranch search reads.fasta --in refs.idx --min-identity 0.97 --taxonomy taxonomy.tsv --lineages lineages.tsv",
      "lineages by consensus",
    ],
    ["embranch search reads.fasta --in refs.fasta --exact --top 1", "by exact edit distance alone"],
  ]);
  return command.action(run);
}

async function run(path: string, options: SearchCliOptions): Promise<void> {
  const { quiet, output, json, top, minIdentity, exact, taxonomy: taxonomyFile } = options;
  const uc = options.format === "uc" || (options.format === undefined && /\.uc$/i.test(output ?? ""));
  checkOptions(path, options, uc);
  const columns =
    options.format !== undefined && options.format !== "uc"
      ? options.format
      : [...DEFAULT_COLUMNS, ...(taxonomyFile === undefined ? [] : TAXONOMY_COLUMNS)];
  const taxa = taxonomyFile === undefined ? undefined : await loadTaxonomy(taxonomyFile);
  const progress = new Progress("searching", { unit: "queries", quiet });
  const open: (() => Promise<void>)[] = [];
  const bothStrands = options.strand === "both";
  const check = new RecallCheck({ queries: options.check, minIdentity, bothStrands, seed: options.seed });
  const checked = !exact && options.check !== 0;
  const counts = { queries: 0, matched: 0, hits: 0 };
  const started = performance.now();
  try {
    const input = await openInput(path);
    open.push(() => input.close());
    const kernel = await EditDistances.create({ threads: options.threads });
    open.push(() => kernel.close());
    const opened = await openReferences(options);
    open.push(() => opened.close());
    const { references, model, alphabet } = opened;
    if (!exact && !quiet)
      progress.note(`${formatCount(references.size)} references, by ${references.method}`);
    if (taxa !== undefined && references.ids !== undefined) {
      const unknown = countWithoutLineage(references.ids(), taxa, { of: options.in, file: taxonomyFile });
      if (unknown > 0) {
        const many = `${formatCount(unknown)} of ${formatCount(references.size)} references`;
        progress.note(`${taxonomyFile} has no lineage for ${many}; as hits they agree with none`);
      }
    }
    const write = async (out: Output, lineages?: Output) => {
      const asJson = json === true && output === undefined;
      if (asJson) await out.write('{"hits":[');
      else if (options.header && !uc) await out.write(`${columns.join("\t")}\n`);
      await lineages?.write("Feature ID\tTaxon\tConsensus\n");
      const letters = new LetterWatch(alphabet);
      const records = letters.of(readSequences(input.bytes, { file: input.name }));
      const tools = { references, kernel, alphabet, model };
      const settings = { top, rerank: options.rerank, minIdentity, bothStrands, exact, file: input.name };
      for await (const answers of search(tools, records, settings)) {
        if (checked) check.add(answers);
        let text = "";
        let consensusText = "";
        for (const answer of answers) {
          const consensus = taxa && agreed(answer, taxa, options.minConsensus);
          const found = hitLines(answer, alphabet, { taxa, consensus });
          if (uc) text += ucRecords(answer, found);
          else if (asJson) {
            for (const line of found)
              text += `${counts.hits > 0 || text !== "" ? "," : ""}${JSON.stringify(lineValues(line, columns))}`;
          } else for (const line of found) text += tableLine(line, columns);
          if (consensus)
            consensusText += `${answer.query}\t${consensus.lineage}\t${consensus.confidence.toFixed(3)}\n`;
          counts.queries++;
          if (found.length > 0) counts.matched++;
          counts.hits += found.length;
        }
        await out.write(text);
        await lineages?.write(consensusText);
        progress.update(counts.queries, { fraction: input.size ? input.bytesRead / input.size : undefined });
      }
      progress.finish();
      letters.note(progress, input.name);
      const recall = checked ? await check.estimate(tools) : undefined;
      if (asJson)
        await out.write(`],${JSON.stringify(summary(options, references, counts, recall)).slice(1)}\n`);
      return recall;
    };
    const recall = await writeOutput(output, (out) =>
      options.lineages === undefined
        ? write(out)
        : writeOutput(options.lineages, (lineages) => write(out, lineages)),
    );
    if (json && output !== undefined) {
      const out = await openOutput(undefined);
      await out.write(`${JSON.stringify({ output, ...summary(options, references, counts, recall) })}\n`);
    }
    if (!quiet) for (const note of notes(counts, recall, started, options)) progress.note(note);
  } finally {
    progress.stop();
    for (const close of open) await close();
  }
}

function checkOptions(queries: string, options: SearchCliOptions, uc: boolean): void {
  const { exact, model, scan, ef, lineages, taxonomy, header, output, json } = options;
  const rules: [boolean, string][] = [
    [exact === true && scan === true, "--exact compares sequences, --scan points; choose one"],
    [exact === true && model !== undefined, "--exact needs no model; leave -m out"],
    [exact === true && ef !== undefined, "--ef is for graphs; leave it out with --exact"],
    [scan === true && ef !== undefined, "--ef is for graphs; leave it out with --scan"],
    [lineages !== undefined && taxonomy === undefined, "--lineages needs --taxonomy"],
    [header === true && uc, "--header is for tables; leave it out with .uc"],
    [queries === "-" && options.in === "-", "queries and references cannot both be standard input"],
    [
      lineages === "-" && (output === "-" || output === undefined),
      "--lineages and the hits need a place each",
    ],
    [json === true && output === "-", "--json without -o prints the hits as JSON; leave -o - out"],
    [json === true && output === undefined && uc, "--json and --format uc cannot be combined; add -o"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`search: ${rule}`);
}

interface Opened {
  references: References;
  alphabet: Alphabet;
  model?: Model;
  close(): Promise<void>;
}

async function openReferences(options: SearchCliOptions): Promise<Opened> {
  const { in: place, threads, device, scan, exact, quiet, ef } = options;
  const bytes = options.model === undefined ? undefined : (await readBytes(options.model)).bytes;
  if (isPostgres(place) || (await isFolder(place))) {
    const store = await indexStore(place);
    const settings = { threads, device, scan: scan ?? exact, searchExpansion: ef, model: bytes };
    const opened = await store.open(settings);
    return { ...opened, alphabet: opened.model.alphabet, close: () => opened.close() };
  }
  if (!exact && bytes === undefined) {
    throw new UsageError(
      `search: --in ${place} is no index; add -m <model> or --exact, or build one with embranch index`,
    );
  }
  const model = bytes && (await Model.decode(bytes, options.model!, { threads, device }));
  const set = await loadSequences(place, { model, alphabet: model?.alphabet ?? options.alphabet, quiet });
  const references = await referencesInMemory(set, model, { scan, threads, file: place });
  const close = async () => {
    await references.close();
    await model?.close();
  };
  return { references, model, alphabet: set.alphabet, close };
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => /\.idx\/?$/i.test(path),
  );

/** What the hits of a query agree on; a hit whose lineage is not known disagrees. */
function agreed({ hits }: QueryHits, taxa: ReadonlyMap<string, string>, least: number): Consensus {
  return consensusOf(
    hits.map(({ target }) => taxa.get(target) ?? ""),
    least,
  );
}

type Counts = Record<"queries" | "matched" | "hits", number>;

function summary(
  { exact }: SearchCliOptions,
  references: References,
  counts: Counts,
  recall?: RecallEstimate,
) {
  const { queries, matched, hits } = counts;
  return {
    references: references.size,
    method: exact ? "exact" : references.method,
    queries,
    matched,
    hitCount: hits,
    recall: exact ? 1 : (recall?.recall ?? null),
    recallInterval: recall?.interval ?? null,
    recallQueries: recall?.queries ?? (exact ? counts.queries : 0),
  };
}

function* notes(
  counts: Counts,
  recall: RecallEstimate | undefined,
  started: number,
  { output }: SearchCliOptions,
) {
  const { queries, matched, hits } = counts;
  const seconds = (performance.now() - started) / 1000;
  yield `${formatCount(hits)} hits of ${formatCount(matched)} of ${formatCount(queries)} queries in ${seconds.toFixed(1)} s${output === undefined ? "" : `, in ${output}`}`;
  if (recall === undefined) return;
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  const [low, high] = recall.interval;
  yield `the first hit is the nearest of all references for ${percent(recall.recall)} of ${recall.queries} queries checked exactly (95 % interval ${percent(low)} to ${percent(high)})`;
}
