/**
 * @file `embranch index` and `embranch search`, from reads to hits.
 *
 * Most commands run in this process, in the folder of the suite: starting one takes ten times as long as its work.
 */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { CommanderError } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { indexCommand } from "../../src/cli/index-references.ts";
import { searchCommand } from "../../src/cli/search.ts";
import { EmbranchError } from "../../src/error.ts";
import { editDistance } from "../../src/kernel/index.ts";
import { DNA, encode } from "../../src/sequence/index.ts";
import { COLUMNS, DEFAULT_COLUMNS } from "../../src/task/search/hit-table.ts";
import { runHere, SMALL, Workplace, type Told } from "./command.ts";

const place = new Workplace();
const write = (name: string, content: string | Uint8Array) => writeFileSync(place.at(name), content);
const text = (name: string) => readFileSync(place.at(name), "utf8");

/** Sequences of a FASTA file by name. */
const sequences = (name: string) =>
  new Map(
    text(name)
      .split(">")
      .slice(1)
      .map((record) => {
        const [id, ...lines] = record.trimEnd().split("\n");
        return [id, lines.join("")] as const;
      }),
  );
const rows = (table: string) => table.trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore
const edits = (a: string, b: string) => editDistance(encode(a, DNA, {}).codes, encode(b, DNA, {}).codes);

/** Distances of a query to all references, ascending. */
const truth = (query: string): number[] =>
  [...references.values()].map((reference) => edits(query, reference)).sort((a, b) => a - b);

let references: Map<string, string>;
let queries: Map<string, string>;
/** The first two hits of every query, of which every reference was re-ranked. */
let table: string;

const home = process.cwd();
afterAll(() => process.chdir(home));

beforeAll(async () => {
  process.chdir(place.path);
  await place.ok("simulate 100 --length 40 --held-out reads.fasta --held-out-share 0.2 -o refs.fasta --seed 5 -q"); // prettier-ignore
  await place.ok(`fit refs.fasta --length 60 --steps 5 -o m.onnx ${SMALL} -q`);
  await place.ok("index refs.fasta -m m.onnx -o refs.idx --threads 1 -q");
  references = sequences("refs.fasta");
  queries = sequences("reads.fasta");
  table = await place.ok(`${SEARCH} --top 2 --rerank 1000 -q`);
  const ranks = ["d__Bacteria", "d__Bacteria; p__Firmicutes", "d__Bacteria; p__Firmicutes; c__Bacilli"];
  const lines = [...references.keys()].map((id, i) => `${id}\t${ranks[i % 3]}\n`);
  write("taxonomy.tsv.gz", gzipSync(`Feature ID\tTaxon\n${lines.slice(5).join("")}`));
  write("empty.fasta", "");
  write("strange.fasta", `>strange\n${"N".repeat(40)}\n`);
  write("long.fasta", `>short\nACGT\n>long\n${"ACGT".repeat(20)}\n`);
  write("proteins.fasta", ">p\nMKVLEQQ\n");
});

const SEARCH = "search reads.fasta --in refs.idx --threads 1";

/** Runs a verb in this process. */
function embranch(line: string): Promise<Told> {
  const [verb, ...words] = line.split(" ");
  return runHere(verb === "search" ? searchCommand() : indexCommand(), words);
}

/** The standard output of a verb that must succeed. */
async function ok(line: string): Promise<string> {
  const { stdout, error } = await embranch(line);
  expect(error, line).toBeUndefined();
  return stdout;
}

/** The message and exit code of the `EmbranchError` that a verb ends with, having printed nothing. */
async function refusal(line: string): Promise<{ code: number; message: string }> {
  const { stdout, error } = await embranch(line);
  expect(error).toBeInstanceOf(EmbranchError);
  const { exitCode, message } = error as EmbranchError;
  expect(message).not.toContain("\n");
  expect(stdout).toBe("");
  return { code: exitCode, message };
}

describe("a table", () => {
  test("is a line a hit, query, target and identity first, the best first, all of it true", async () => {
    const all = rows(table);
    expect(all).toHaveLength(2 * queries.size);
    expect([...new Set(all.map(([query]) => query))]).toEqual([...queries.keys()]);
    for (const [id, query] of queries) {
      const hits = all.filter(([name]) => name === id);
      expect(hits.map((hit) => Number(hit[10]))).toEqual(truth(query).slice(0, 2));
      hits.forEach((hit, i) => {
        expect(hit).toHaveLength(DEFAULT_COLUMNS.length);
        const [, target, identity, length, mismatches, gaps, qstart, qend, tstart, tend, found, distance, rank] = hit; // prettier-ignore
        const reference = references.get(target)!;
        expect(Number(found)).toBe(edits(query, reference));
        const share = 1 - Number(found) / Math.max(query.length, reference.length);
        expect(identity).toBe((100 * share).toFixed(2));
        expect([qstart, qend, tstart, tend, rank].map(Number)).toEqual([1, query.length, 1, reference.length, i + 1]); // prettier-ignore
        expect(Number(length)).toBeGreaterThanOrEqual(Math.max(query.length, reference.length));
        expect(Number(mismatches) + Number(gaps)).toBeLessThanOrEqual(Number(found));
        expect(Number(distance)).toBeGreaterThanOrEqual(0);
      });
    }
  });

  test("says on standard error how it was found, and how often it was right", async () => {
    const { stderr, error } = await embranch(`${SEARCH} --top 2 --rerank 1000 -o told.tsv`);
    expect(error).toBeUndefined();
    expect(stderr).toContain(`${references.size} references, by graph of neighbours\n`);
    const counts = `${2 * queries.size} hits of ${queries.size} of ${queries.size} queries in`;
    expect(stderr).toMatch(new RegExp(`^${counts} [\\d.]+ s, in told\\.tsv$`, "m"));
    expect(stderr).toMatch(/^the first hit is the nearest of all references for 100\.0 % of \d+ queries checked exactly \(95 % interval \d+\.\d % to 100\.0 %\)$/m); // prettier-ignore
    expect(text("told.tsv")).toBe(table);
  });

  test("has a header where one is asked for, and the columns that are", async () => {
    const [header, ...lines] = rows(await ok(`${SEARCH} --header --format target,query,cigar,qseq,tlen --top 1 -q`)); // prettier-ignore
    expect(header).toEqual(["target", "query", "cigar", "qseq", "tlen"]);
    for (const [target, query, cigar, letters, length] of lines) {
      expect(letters).toBe(queries.get(query));
      expect(Number(length)).toBe(references.get(target)!.length);
      expect(cigar).toMatch(/^(\d+[=XID])+$/);
    }
  });

  test("without re-ranking goes by the distances", async () => {
    const table = rows(await ok(`${SEARCH} --rerank 0 --top 5 -q --format query,distance,edits,target`));
    for (const [id, query] of queries) {
      const hits = table.filter(([name]) => name === id);
      const distances = hits.map(([, distance]) => Number(distance));
      expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      for (const [, , found, target] of hits)
        expect(Number(found)).toBe(edits(query, references.get(target)!));
    }
  });

  test("leaves out hits below the least identity", async () => {
    const table = rows(await ok(`${SEARCH} --min-identity 0.8 --rerank 1000 --top 100 -q --format query,identity`)); // prettier-ignore
    const good = (query: string) =>
      [...references.values()].filter((reference) => 1 - edits(query, reference) / Math.max(query.length, reference.length) > 0.8 - 1e-9).length; // prettier-ignore
    for (const [id, query] of queries)
      expect(table.filter(([name]) => name === id)).toHaveLength(good(query));
    for (const [, identity] of table) expect(Number(identity)).toBeGreaterThanOrEqual(80);
  });

  test("tells the strand", async () => {
    const [id, query] = [...references][3];
    const turned = [...query].reverse().map((letter) => "TGCA"["ACGT".indexOf(letter)]).join(""); // prettier-ignore
    write("turned.fasta", `>back\n${turned}\n>forth\n${query}\n`);
    const line = "search turned.fasta --in refs.idx --strand both --top 1 -q --rerank 1000 --format query,target,strand,edits,tstart,tend"; // prettier-ignore
    const n = String(query.length);
    const found = rows(await ok(line));
    expect(found[0].slice(2)).toEqual(["-", "0", n, "1"]);
    expect(found[1].slice(2)).toEqual(["+", "0", "1", n]);
    expect(references.get(found[0][1])).toBe(references.get(id));
  });

  test("is the same by a scan, by more of the graph, and with the model named", async () => {
    const line = `${SEARCH} --top 2 --rerank 1000 -q --check 0`;
    for (const how of ["--scan", "--ef 500 -m m.onnx"]) expect(await ok(`${line} ${how}`)).toBe(table);
  });
});

describe("references", () => {
  test("of a file, with a model", async () => {
    const line = "search reads.fasta --in refs.fasta -m m.onnx --top 2 --rerank 1000 -q --threads 1";
    expect(await ok(line)).toBe(table);
  });

  test.each(["refs.fasta", "refs.idx"])("compared exactly, in %s: no model, no distances, any length", async (where) => {
    write("all.fasta", text("reads.fasta") + text("long.fasta"));
    const found = rows(await ok(`search all.fasta --in ${where} --exact --top 2 -q --format edits,distance`));
    const all = [...queries.values(), "ACGT", "ACGT".repeat(20)];
    const right = all.flatMap((query) => truth(query).slice(0, 2));
    expect(found).toEqual(right.map((count) => [String(count), "*"]));
  }); // prettier-ignore

  test("from standard input, and queries too", async () => {
    const line = "--top 2 --rerank 1000 -q --threads 1";
    expect(await place.ok(`search - --in refs.idx ${line}`, gzipSync(text("reads.fasta")))).toBe(table);
    expect(await place.ok(`search reads.fasta --in - -m m.onnx ${line}`, text("refs.fasta"))).toBe(table);
  });

  test("of both kinds from standard input at once are refused", async () => {
    const { code, stdout, stderr } = await place.run("search - --in - --exact -q", text("refs.fasta"));
    expect(code).toBeGreaterThan(0);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^embranch: [^\n]+\n$/);
  });
});

interface Found {
  hits: Record<string, string | number | null>[];
  [field: string]: unknown;
}

describe("--json", () => {
  const counts = () => ({
    references: references.size,
    method: "graph of neighbours",
    queries: queries.size,
    matched: queries.size,
  });

  test("without -o is one object on standard output: hits, then counts, recall last", async () => {
    const line = `${SEARCH} --top 2 --rerank 1000 --json`;
    const stdout = await ok(line);
    expect(stdout.split("\n")).toHaveLength(2);
    const { hits, ...rest } = JSON.parse(stdout) as Found;
    expect(stdout.match(/"hits":/g)).toHaveLength(1);
    expect(Object.keys(JSON.parse(stdout) as Found)[0]).toBe("hits");
    expect(Object.keys(rest).slice(-3)).toEqual(["recall", "recallInterval", "recallQueries"]);
    expect(rest).toMatchObject({ ...counts(), recall: 1, recallInterval: [expect.any(Number), 1] });
    expect(hits).toHaveLength(2 * queries.size);
    expect(hits.map((hit) => DEFAULT_COLUMNS.map((name) => hit[name]))).toEqual(
      rows(table).map((cells) => cells.map((cell, i) => (i < 2 ? cell : Number(cell)))),
    );
  });

  test("with -o is the counts on standard output, and the table in its file", async () => {
    const out = await ok(`${SEARCH} --top 2 --rerank 1000 --json -o with.tsv --check 7`);
    expect(JSON.parse(out)).toMatchObject({
      output: "with.tsv",
      ...counts(),
      recall: 1,
      recallInterval: [expect.any(Number), 1],
      recallQueries: 7,
    });
    expect(text("with.tsv")).toBe(table);
  });

  test("of no hits is no less an object", async () => {
    const out = await ok("search strange.fasta --in refs.idx --min-identity 0.99 --json -q --check 0");
    const none = { recall: null, recallInterval: null, recallQueries: 0 };
    expect(JSON.parse(out)).toMatchObject({ ...counts(), queries: 1, matched: 0, hits: [], ...none });
  });

  test("has null for what is not known", async () => {
    const line = "search reads.fasta --in refs.idx --exact --top 1 --json --format distance,taxon,edits";
    const { hits } = JSON.parse(await ok(line)) as Found;
    for (const hit of hits)
      expect(hit).toEqual({ distance: null, taxon: null, edits: expect.any(Number) as number });
  });

  test("names the numbers of the same check alike, whichever the seed, if all are checked", async () => {
    const line = (seed: number) => `${SEARCH} --rerank 0 --top 1 --json -o seeded-${seed}.tsv --check 1000 --seed ${seed}`; // prettier-ignore
    const [one, two] = [await ok(line(1)), await ok(line(2))];
    const numbers = (out: string) => ({ ...(JSON.parse(out) as object), output: "" });
    expect(numbers(one)).toEqual(numbers(two));
    const nearest = rows(text("seeded-1.tsv")).filter((cells) => Number(cells[10]) === truth(queries.get(cells[0])!)[0]); // prettier-ignore
    expect(JSON.parse(one)).toMatchObject({
      recall: nearest.length / queries.size,
      recallQueries: queries.size,
    });
  });
});

describe(".uc", () => {
  test("has a record a hit, where the file is named so", async () => {
    const line = `${SEARCH} --top 2 --rerank 1000 -q`;
    await ok(`${line} -o hits.uc`);
    const printed = text("hits.uc");
    const hits = rows(table);
    const records = rows(printed);
    expect(records.map((cells) => [cells[0], cells[8], cells[9], cells[4], cells[2]])).toEqual(
      hits.map(([query, target, , , , , , end]) => ["H", query, target, "+", end]),
    );
    records.forEach((cells, i) => {
      expect(cells).toHaveLength(10);
      expect(Math.abs(Number(cells[3]) - Number(hits[i][2]))).toBeLessThanOrEqual(0.051);
      expect(cells[7]).toMatch(/^(=|(\d*[MID])+)$/);
    });
  });

  test("by --format, has one for a query without hits", async () => {
    const out = await ok("search strange.fasta --in refs.idx --min-identity 0.9 --format uc -q");
    expect(out).toBe("N\t*\t*\t*\t.\t*\t*\t*\tstrange\t*\n");
  });
});

describe("lineages", () => {
  const line = `${SEARCH} --taxonomy taxonomy.tsv.gz --top 5 --rerank 1000 --check 0 -q`;

  test("of the targets and of the queries are columns", async () => {
    const [header, ...table] = rows(await ok(`${line} --header`));
    expect(header).toEqual([...DEFAULT_COLUMNS, "taxon", "lineage", "confidence"]);
    const order = [...references.keys()];
    for (const id of queries.keys()) {
      const hits = table.filter(([query]) => query === id);
      expect(new Set(hits.map((cells) => cells.slice(-2).join())).size).toBe(1);
      const known = hits.filter((cells) => order.indexOf(cells[1]) >= 5).length;
      const [, lineage, confidence] = hits[0].slice(-3);
      for (const cells of hits) {
        const at = order.indexOf(cells[1]);
        expect(cells.at(-3)!.split("; ").length).toBe(at < 5 ? 1 : (at % 3) + 1);
        if (at < 5) expect(cells.at(-3)).toBe("*");
      }
      if (known / hits.length < 0.51) expect([lineage, confidence]).toEqual(["Unassigned", "0.000"]);
      else expect(lineage).toMatch(/^d__Bacteria/);
      if (lineage === "d__Bacteria") expect(Number(confidence)).toBeCloseTo(known / hits.length, 3);
    }
  });

  test("alone are a table of QIIME's kind, one line a query", async () => {
    const table = rows(await ok(`${line} --format query,lineage,confidence`));
    await ok(`${line} --lineages lineages.tsv -o with-lineages.tsv`);
    const [header, ...lineages] = rows(text("lineages.tsv"));
    expect(header).toEqual(["Feature ID", "Taxon", "Consensus"]);
    expect(lineages).toEqual(table.filter((_, i) => i % 5 === 0));
    const strict = await ok(`${line} --min-consensus 1 --format lineage,confidence`);
    for (const [lineage, confidence] of rows(strict))
      expect(confidence).toBe(lineage === "Unassigned" ? "0.000" : "1.000");
  });

  test("of queries without hits are unassigned", async () => {
    await ok("search strange.fasta --in refs.idx --taxonomy taxonomy.tsv.gz --min-identity 0.9 -q --lineages strange.tsv"); // prettier-ignore
    expect(rows(text("strange.tsv"))[1]).toEqual(["strange", "Unassigned", "0.000"]);
  });

  test("that some references have not are counted, unless all is to be quiet", async () => {
    const note = `taxonomy.tsv.gz has no lineage for 5 of ${references.size} references`;
    expect((await embranch(line.replace(" -q", ""))).stderr).toContain(note);
    expect((await embranch(line)).stderr).toBe("");
  });

  test("that no reference has are refused", async () => {
    write("others.tsv", "OTU_7\td__Archaea\n");
    const rule = /^others\.tsv: taxonomy: .*references in refs\.(idx|fasta), got none: the ids do not match, "OTU_7" here, "leaf\d+" there$/; // prettier-ignore
    for (const where of ["--in refs.idx", "--in refs.fasta --exact"]) {
      const { code, message } = await refusal(`search reads.fasta ${where} --taxonomy others.tsv -q`);
      expect(code).toBe(1);
      expect(message).toMatch(rule);
    }
  });

  test("that are bad are named", async () => {
    write("bad.tsv", "a\tx\nb x\n");
    const { code, message } = await refusal(`${SEARCH} --taxonomy bad.tsv`);
    expect(code).toBe(1);
    expect(message).toMatch(/^bad\.tsv, line 2: taxonomy: a line must be an id, a tab and a lineage/);
  });
});

describe("refused, with what to do", () => {
  test.each([
    ["--exact --scan", /--exact compares sequences, --scan points; choose one$/],
    ["--exact -m m.onnx", /--exact needs no model; leave -m out$/],
    ["--exact --ef 10", /--ef is for graphs/],
    ["--scan --ef 10", /--ef is for graphs/],
    ["--lineages l.tsv", /--lineages needs --taxonomy$/],
    ["--header --format uc", /--header is for tables/],
    ["--json -o -", /leave -o - out$/],
    ["--json --format uc", /--json and --format uc cannot be combined; add -o$/],
    ["--format query,evalue", /format: columns are query, .*, got "evalue"$/],
  ])("search … %s", async (options, rule) => {
    const { code, message } = await refusal(`search reads.fasta --in refs.idx ${options}`);
    expect(code).toBe(2);
    expect(message).toMatch(rule);
  });

  test.each([
    ["search reads.fasta --in refs.fasta", /--in refs\.fasta is no index; add -m <model> or --exact, or build one/],
    ["index refs.fasta -o x.idx", /index: needs -m <model>/],
    ["index refs.fasta -m m.onnx", /index: needs -o <folder>/],
    ["index delete refs.idx", /needs ids, or --ids <file>/],
  ])("%s", async (line, rule) => {
    const { code, message } = await refusal(line);
    expect(code).toBe(2);
    expect(message).toMatch(rule);
    expect(existsSync(place.at("x.idx"))).toBe(false);
  }); // prettier-ignore

  test.each([
    ["search reads.fasta", /required option '--in <references>' not specified/],
    ["search --in refs.idx", /missing required argument 'queries'/],
    ["search reads.fasta --in refs.idx --top 0", /It must be a positive integer/],
    ["search reads.fasta --in refs.idx --rerank -1", /It must be an integer from 0/],
    ["search reads.fasta --in refs.idx --min-identity 97", /It must be a number from 0 to 1/],
    ["search reads.fasta --in refs.idx --strand minus", /Allowed choices are plus, both/],
    ["index", /missing required argument 'refs'/],
    ["index append refs.idx", /missing required argument 'refs'/],
    ["index verify", /missing required argument 'index'/],
    ["index refs.fasta -m m.onnx -o y.idx --precision f64", /Allowed choices are f32, f16, i8/],
  ])("%s: the words themselves", async (line, rule) => {
    const { stderr, error } = await embranch(line);
    expect(error).toBeInstanceOf(CommanderError);
    expect(stderr).toMatch(rule);
  }); // prettier-ignore

  test.each([
    ["search reads.fasta", "required option"],
    ["search reads.fasta --in refs.idx --exact --scan", "choose one"],
    ["index append refs.idx", "missing required argument"],
    ["index verify --what", "unknown option"],
  ])("%s exits with 2", async (line, words) => {
    const { code, stdout, stderr } = await place.run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(words);
  });

  test.each([
    ["search reads.fasta --in none.idx -q", /^none\.idx: there is no such index; build one with `embranch index`$/],
    ["search reads.fasta --in none.fasta --exact -q", /^none\.fasta: cannot be read: there is no such file/],
    ["search none.fasta --in refs.idx -q", /^none\.fasta: cannot be read: there is no such file/],
    ["search empty.fasta --in refs.idx -q", /^empty\.fasta: file: must hold at least one sequence, got none/],
    ["search proteins.fasta --in refs.idx -q", /^proteins\.fasta, line 1, record "p": sequence: must consist of DNA letters/],
    ["search long.fasta --in refs.idx -q", /^long\.fasta, line 3, record "long": sequence: must have at most the model's 60 letters, got 80/],
    ["search reads.fasta --in refs.idx -m refs.fasta -q", /^refs\.idx: the index is of another model .*; leave -m out, or build the index again$/],
    ["search reads.fasta --in refs.fasta -m refs.fasta -q", /^refs\.fasta: must be a model of `embranch fit`/],
    ["search reads.fasta --in refs.idx -o none/hits.tsv -q", /^none\/hits\.tsv: cannot be written/],
    ["search reads.fasta --in refs.idx --taxonomy none.tsv -q", /^none\.tsv: cannot be read/],
    ["index none.fasta -m m.onnx -o z.idx -q", /^none\.fasta: cannot be read/],
    ["index refs.fasta -m none.onnx -o z.idx -q", /^none\.onnx: cannot be read/],
    ["index info none.idx -q", /^none\.idx: there is no such index/],
    ["index delete none.idx a -q", /^none\.idx: there is no such index/],
    ["index delete refs.idx --ids empty.fasta -q", /^empty\.fasta: ids: must be one a line, got none$/],
    ["index append none.idx refs.fasta -q", /^none\.idx: there is no such index/],
  ])("%s", async (line, rule) => {
    const { code, message } = await refusal(line);
    expect(code).toBe(1);
    expect(message).toMatch(rule);
    expect(readdirSync(place.path).filter((name) => /^z\.idx|^none/.test(name))).toEqual([]);
  }); // prettier-ignore

  test("a folder of other things, which stays", async () => {
    mkdirSync(place.at("mine"));
    write("mine/notes.txt", "mine");
    expect(await refusal(`index refs.fasta -m m.onnx -o mine -q`)).toEqual({
      code: 2,
      message: "-o: must be a new folder or an index, got mine, which holds other files",
    });
    expect(readdirSync(place.at("mine"))).toEqual(["notes.txt"]);
  });

  test("what is bad among the queries costs a table that was there nothing", async () => {
    write("kept.tsv", "kept");
    expect((await refusal("search long.fasta --in refs.idx -o kept.tsv -q")).code).toBe(1);
    expect(text("kept.tsv")).toBe("kept");
  });
});

describe("an index that changes", () => {
  const fasta = (some: (readonly [string, string])[]) =>
    some.map(([id, letters]) => `>${id}\n${letters}\n`).join("");
  let all: [string, string][];
  beforeAll(() => {
    all = [...references];
    write("first.fasta", fasta(all.slice(0, 50)));
    write("left.fasta", fasta(all.filter((_, i) => ![0, 1, 2, 60].includes(i))));
  });
  const json = async (line: string) => JSON.parse(await ok(`${line} --json`)) as unknown;
  /** Whether the index answers as the references that are left do. */
  const holdsWhatIsLeft = async () => {
    const line = "search reads.fasta --exact --top 3 -q --format query,target,edits --in";
    expect(await ok(`${line} grown.idx`)).toBe(await ok(`${line} left.fasta`));
  };

  test("is built", async () => {
    const { stdout, stderr, error } = await embranch("index first.fasta -m m.onnx -o grown.idx --threads 1");
    expect({ stdout, error }).toEqual({ stdout: "", error: undefined });
    expect(stderr).toMatch(/^in [\d.]+ s: 50 references.*, [\d.]+ MB, in grown\.idx$/m);
  });

  test("grows, here from standard input", async () => {
    const out = await place.ok("index append grown.idx - --threads 1 --json -q", fasta(all.slice(50)));
    const bytes = expect.any(Number) as number;
    expect(JSON.parse(out)).toMatchObject({
      index: "grown.idx",
      references: all.length,
      deleted: 0,
      parts: 2,
      bytes,
    });
    const line = "search reads.fasta --top 3 --rerank 1000 -q --check 0 --format query,edits --in";
    expect(await ok(`${line} grown.idx`)).toBe(await ok(`${line} refs.idx`));
    const again = await refusal("index append grown.idx first.fasta -q");
    expect(again.message).toMatch(/^first\.fasta, line 1, record ".*": id: must be unique in the index/);
    expect((await refusal("index append grown.idx left.fasta -m refs.fasta -q")).code).toBe(1);
  });

  test("shrinks, by ids here and in files", async () => {
    write("ids.txt", `${all[0][0]}\r\n\n  ${all[60][0]}\n`);
    expect(await json(`index delete grown.idx --ids ids.txt ${all[1][0]}`)).toMatchObject({
      references: all.length - 3,
      deleted: 3,
      parts: 2,
    });
    const { stderr } = await place.run("index delete grown.idx --ids -", `${all[2][0]}\n`);
    expect(stderr).toMatch(/^1 references? deleted; \d+ references, 4 deleted/);
    expect(await refusal(`index delete grown.idx ${all[2][0]} -q`)).toEqual({
      code: 1,
      message: `grown.idx: there is no reference "${all[2][0]}"; nothing was deleted`,
    });
    await holdsWhatIsLeft();
  });

  test("is verified, compacted and described", async () => {
    const { stdout, stderr, error } = await embranch("index verify grown.idx");
    expect({ stdout, error }).toEqual({ stdout: "", error: undefined });
    expect(stderr).toMatch(
      /^nothing is damaged: \d+ references, 4 deleted in 2 parts, [\d.]+ MB, in grown\.idx$/m,
    );
    const counts = { references: all.length - 4, deleted: 0, parts: 1 };
    expect(await json("index compact grown.idx")).toMatchObject(counts);
    await holdsWhatIsLeft();
    const info = await ok("index info grown.idx");
    expect(info).toMatch(new RegExp(`^references +${all.length - 4}$`, "m"));
    expect(info).toMatch(/^model +hyperbolic, 8 dimensions, dna of up to 60 letters, digest [0-9a-f]{12}$/m);
    expect(info).toMatch(/^graph +cos, connectivity 16, expansion 48, f16$/m);
    expect(await json("index info grown.idx")).toMatchObject(counts);
  });

  test("is damaged, and built again", async () => {
    const part = readdirSync(place.at("grown.idx")).find((name) => /^\d+$/.test(name))!;
    const points = `grown.idx/${part}/points.npy`;
    const bytes = readFileSync(place.at(points));
    bytes[bytes.length - 3] ^= 1;
    write(points, bytes);
    const message = `${points}: is damaged: its checksum differs; build the index again`;
    expect(await refusal("index verify grown.idx -q")).toEqual({ code: 1, message });
    await ok("index refs.fasta -m m.onnx -o grown.idx -q --connectivity 8 --expansion 32 --precision f32");
    expect(await ok("index info grown.idx")).toMatch(/^graph +cos, connectivity 8, expansion 32, f32$/m);
    await ok("index verify grown.idx -q");
  });
});

test("a graph whose beginning is damaged is told of; the process does not die of it", async () => {
  cpSync(place.at("refs.idx"), place.at("head.idx"), { recursive: true });
  const part = readdirSync(place.at("head.idx")).find((name) => /^\d+$/.test(name))!;
  const graph = `head.idx/${part}/graph.usearch`;
  const bytes = readFileSync(place.at(graph));
  // The number of rows.
  bytes.writeUInt32LE(0xffffff, 0);
  write(graph, bytes);
  const { code, stderr } = await place.run("search reads.fasta --in head.idx -q");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^embranch: head\.idx\/\d+\/graph\.usearch: is damaged/) as string,
  });
});

test("an index of a space without a graph says so, and is searched all the same", async () => {
  await place.ok(`fit refs.fasta --length 60 --steps 2 --geometry manhattan -o flat.onnx ${SMALL} -q`);
  await ok("index refs.fasta -m flat.onnx -o flat.idx -q");
  expect(await ok("index info flat.idx")).toMatch(/^graph +none: searched by comparing with all points$/m);
  const { stdout, stderr } = await embranch("search reads.fasta --in flat.idx --top 1 --rerank 1000");
  expect(stderr).toContain("by scan of all points: manhattan distance has no index");
  const found = rows(stdout).map((cells) => Number(cells[10]));
  expect(found).toEqual([...queries.values()].map((query) => truth(query)[0]));
});

test.each([
  ["search", ["--in <references>", "--rerank <n>", "--taxonomy <file>", ...Object.keys(COLUMNS)]],
  ["index", ["-m, --model <file>", "append", "delete", "compact", "verify", "info", "--precision"]],
  ["index append", ["<refs>", "--model <file>"]],
  ["index delete", ["[ids...]", "--ids <file>"]],
  ["index compact", ["<index>"]],
  ["index verify", ["<index>"]],
  ["index info", ["<index>", "--json"]],
])("%s --help", async (verb, words) => {
  const { stdout, error } = await embranch(`${verb} --help`);
  expect(error).toMatchObject({ exitCode: 0 });
  for (const word of words) expect(stdout).toContain(word);
});
