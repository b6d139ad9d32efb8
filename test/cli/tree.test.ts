/** @file `embranch tree`, from sequences or distances to Newick. */

import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { leafNames, parseNewick } from "../../src/sequence/newick.ts";
import { decodeNpy } from "../../src/sequence/npy.ts";
import { compactTree } from "../../src/task/tree/compact-tree.ts";
import { compareSplits } from "../../src/task/tree/splits.ts";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");
const write = (name: string, content: string) => writeFileSync(place.at(name), content);
const COUNT = 24;
const ids = () => [...text("a.fasta").matchAll(/^>(\S+)/gm)].map(([, id]) => id);

beforeAll(async () => {
  await place.ok(`simulate ${COUNT} --length 40 -o a.fasta --tree truth.nwk --seed 3 -q`);
  await place.ok(`fit a.fasta --length 60 --steps 5 -o m.onnx ${SMALL} -q`);
  await place.ok("distance a.fasta --exact -o d.phy -q");
  await place.ok("distance a.fasta --exact -o d.npy -q");
  await place.ok("distance a.fasta --exact -o d.tsv -q");
  for (const name of ["d.phy", "d.npy", "d.tsv"])
    writeFileSync(place.at(`${name}.gz`), gzipSync(readFileSync(place.at(name))));
});

describe.concurrent("methods", () => {
  test.each(["single", "complete", "average", "weighted", "ward", "nj", "bionj"])(
    "%s makes a tree of exact distances, the same from the sequences and from a matrix of any format",
    async (method) => {
      const newick = await place.ok(`tree a.fasta --exact --method ${method} -q`);
      expect(newick).toMatch(/^\(.*\);\n$/);
      expect(leafNames(parseNewick(newick)).sort()).toEqual(ids().sort());
      for (const matrix of ["d.phy", "d.tsv"]) {
        expect(await place.ok(`tree ${matrix} --method ${method} -q`)).toBe(newick);
      }
      const numbered = parseNewick(await place.ok(`tree d.npy --method ${method} -q`));
      expect(leafNames(numbered).map((number) => ids()[Number(number)])).toEqual(
        leafNames(parseNewick(newick)),
      );
    },
  );

  test("matrices may be gzip", async () => {
    for (const matrix of ["d.phy", "d.npy", "d.tsv"])
      expect(await place.ok(`tree ${matrix}.gz -q`)).toBe(await place.ok(`tree ${matrix} -q`));
  });

  test("a model's distances make a tree, and its linkage is SciPy's", async () => {
    await place.ok("tree a.fasta -m m.onnx -o t.nwk --linkage z.npy -q");
    await place.ok("tree a.fasta -m m.onnx -o t2.nwk --linkage z.tsv -q");
    expect(leafNames(parseNewick(text("t.nwk"))).sort()).toEqual(ids().sort());
    expect(text("t2.nwk")).toBe(text("t.nwk"));
    const { shape, data } = decodeNpy(readFileSync(place.at("z.npy")), {});
    expect(shape).toEqual([COUNT - 1, 4]);
    expect(data).toBeInstanceOf(Float64Array);
    const [header, ...rows] = text("z.tsv").trimEnd().split("\n");
    expect(header).toBe("left\tright\theight\tsize");
    rows.forEach((row, k) =>
      row.split("\t").forEach((cell, j) => expect(Number(cell)).toBeCloseTo(data[4 * k + j], 4)),
    );
    expect(data[4 * (COUNT - 2) + 3]).toBe(COUNT);
  });

  test("a graph of neighbours stands in for the matrix, and the command says so", async () => {
    const { code, stdout, stderr } = await place.run("tree a.fasta -m m.onnx --coarsen 6 --neighbors 23");
    expect(code).toBe(0);
    expect(stderr).toContain("until 6 clusters were left");
    const names = ids();
    const coarse = compactTree(parseNewick(stdout), names);
    const exact = compactTree(parseNewick(await place.ok("tree a.fasta -m m.onnx -q")), names);
    expect(compareSplits(exact, coarse, {}).normalizedRF).toBeLessThan(0.5);
  });

  test("a midpoint root has two children, the last join three", async () => {
    const joined = parseNewick(await place.ok("tree a.fasta --exact --method nj -q"));
    const rooted = parseNewick(await place.ok("tree a.fasta --exact --method nj --midpoint -q"));
    expect([joined.children.length, rooted.children.length]).toEqual([3, 2]);
  });

  test("JSON says what was done", async () => {
    expect(JSON.parse(await place.ok("tree a.fasta --exact -o j.nwk --json -q"))).toEqual({
      output: "j.nwk",
      sequences: COUNT,
      method: "average",
      distances: "exact",
      coarsened: null,
      seconds: expect.any(Number) as number,
    });
    const coarse = JSON.parse(
      await place.ok("tree a.fasta -m m.onnx --coarsen 5 -o k.nwk --json -q"),
    ) as object;
    expect(coarse).toMatchObject({ distances: "embedded", coarsened: 5 });
  });
});

describe.concurrent("few sequences", () => {
  test.each([
    [1, "a;\n"],
    [2, "(a:1,b:1);\n"],
    [3, "(c:1.25,(a:1,b:1):0.25);\n"],
  ])("average linkage of %i", async (count, newick) => {
    const records = [">a\nACGT\n", ">b\nAAAT\n", ">c\nACTTT\n"].slice(0, count);
    write(`few${count}.fasta`, records.join(""));
    expect(await place.ok(`tree few${count}.fasta --exact -q`)).toBe(newick);
    const joined = await place.ok(`tree few${count}.fasta --exact --method nj -q`);
    expect(leafNames(parseNewick(joined)).sort()).toEqual(["a", "b", "c"].slice(0, count));
  });

  test("identical sequences", async () => {
    write("same.fasta", ">a\nACGT\n>b\nACGT\n>c\nACGT\n");
    expect(await place.ok("tree same.fasta --exact -q")).toBe("(c:0,(a:0,b:0):0);\n");
  });
});

describe.concurrent("mistakes", () => {
  test.each([
    ["tree a.fasta", "needs --exact or -m <model>, got neither"],
    ["tree a.fasta --exact -m m.onnx", "needs either --exact or -m <model>, got both"],
    ["tree d.phy --exact", "a matrix of distances needs neither -m nor --exact"],
    ["tree a.fasta --exact --method nj --linkage z.npy", "--linkage is for linkages, got --method nj"],
    ["tree a.fasta --exact --linkage z.txt", "--linkage must end in .npy or .tsv"],
    ["tree a.fasta --exact --midpoint", "--midpoint and --keep-negative are for nj, bionj"],
    ["tree a.fasta --exact --coarsen 5", "--coarsen needs -m"],
    ["tree a.fasta -m m.onnx --coarsen 5 --method ward", "--coarsen is for average and single linkage"],
    ["tree a.fasta -m m.onnx --neighbors 5", "--neighbors needs --coarsen"],
    ["tree a.fasta --exact --json", "--json needs -o <file> for the tree"],
  ])("%s", async (line, message) => {
    const { code, stdout, stderr } = await place.run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(`embranch: tree: ${message}\n`);
  });

  test("distances that are none are told by their place, and nothing is written", async () => {
    const values = Float32Array.of(1, Number.NaN, 2);
    const header =
      "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }".padEnd(127) + "\n";
    writeFileSync(
      place.at("nan.npy"),
      Buffer.concat([Buffer.from(header, "latin1"), Buffer.from(values.buffer)]),
    );
    for (const method of ["average", "nj"]) {
      const { code, stderr } = await place.run(`tree nan.npy --method ${method} -o nan-${method}.nwk -q`);
      expect(code).toBe(1);
      expect(stderr).toMatch(/nan\.npy: \[1\]: a distance must be .*, got NaN\n$/);
      expect(place.files()).not.toContain(`nan-${method}.nwk`);
    }
  });
});

describe.concurrent("the relaxed method", () => {
  test("makes a tree, its linkage and a picture of it, the same again with the same seed", async () => {
    write("groups.tsv", ids().map((id, i) => `${id}\tgroup ${i % 3}\n`).join("")); // prettier-ignore
    const line = "tree a.fasta --method relaxed --steps 40 --threads 1 --seed 4 -q";
    const summary = await place.ok(
      `${line} -o r.nwk --linkage r.tsv --figure r.svg --groups groups.tsv --json`,
    );
    expect(JSON.parse(summary)).toMatchObject({
      method: "relaxed",
      distances: "exact",
      steps: 40,
      triples: 2000,
    });
    expect(leafNames(parseNewick(text("r.nwk"))).sort()).toEqual(ids().sort());
    expect(text("r.tsv").trimEnd().split("\n").length).toBe(COUNT);
    expect(text("r.svg")).toMatch(/^<svg.*group 2/s);
    expect(await place.ok(`${line} --rank 2`)).toBe(text("r.nwk"));
  });

  test("takes free points and few triples", async () => {
    const line = "tree a.fasta --method relaxed --steps 10 --encoder embeddings --triples 50 --rank 5 -q";
    expect(leafNames(parseNewick(await place.ok(line))).length).toBe(COUNT);
  });

  test.each([
    ["tree a.fasta --exact --rank 2", "--encoder, --rank, .* are for --method relaxed"],
    ["tree d.phy --method relaxed", "the relaxed method needs sequences, got a matrix"],
    ["tree a.fasta --method relaxed -m m.onnx", "the relaxed method takes exact distances; leave -m out"],
    ["tree a.fasta --method relaxed --figure f.svg --rank 3", "--figure needs --rank 2"],
    ["tree a.fasta --method relaxed --groups g.tsv", "--groups needs --figure"],
    ["tree a.fasta --method relaxed --minutes 1 --steps 5", "needs --minutes or --steps, got both"],
  ])("%s", async (line, message) => {
    const { code, stderr } = await place.run(line);
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`^embranch: tree: ${message}\n$`));
  });
});
