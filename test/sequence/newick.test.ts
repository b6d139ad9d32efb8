import fc from "fast-check";
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/error.ts";
import { formatNewick, leafNames, parseNewick, type TreeNode } from "../../src/sequence/newick.ts";
import { dataPath, hasData } from "./files.ts";

const leaf = (name: string, length?: number): TreeNode =>
  length === undefined ? { name, children: [] } : { name, length, children: [] };

describe("parseNewick", () => {
  test("names, lengths and nesting", () => {
    expect(parseNewick("((a:0.1,b:2e-3)ab:.3,c_1)root;")).toEqual({
      name: "root",
      children: [{ name: "ab", length: 0.3, children: [leaf("a", 0.1), leaf("b", 0.002)] }, leaf("c_1")],
    });
  });

  test("quotes, comments, white space and missing names", () => {
    expect(parseNewick("[&R] ( 'it''s (a) leaf' : -1 ,\n[nested [comment]]b\t, ) ; \n")).toEqual({
      name: "",
      children: [leaf("it's (a) leaf", -1), leaf("b"), leaf("")],
    });
    expect(parseNewick("alone;")).toEqual(leaf("alone"));
    expect(parseNewick("\uFEFF(a,b);\r\n").children).toHaveLength(2);
  });

  test.each([
    ["", "must hold a tree, got an empty text"],
    [";", "must hold a tree, got a semicolon alone"],
    [
      "(a,b)",
      'tree: must end with ";", got the end of the text with no semicolon: it looks truncated (column 6)',
    ],
    ["((a,b),c", 'must end with ";", got the end of the text with 1 open "("'],
    ["((a,b);", 'tree: must close every "(", got ";" with 1 open (column 7)'],
    ["(a,b));", '")": must close a "(", got one too many (column 6)'],
    ["a,b;", '",": must stand inside parentheses'],
    ["(a b,c);", 'name: must be in quotes when it holds blanks, got a second word "b" (column 4)'],
    ["(a:x,b);", 'branch length: must be a number, got "x" (column 4)'],
    ["(a:,b);", 'branch length: must be a number, got ","'],
    ["(a:1:2,b);", "branch length: must be given once, got two"],
    ["(a:1 b,c);", 'got a second word "b"'],
    ["(a(b),c);", '"(": must follow "(" or ",", got it after a node'],
    ["('a,b);", "name: must end with a quote, got the end of the file (column 2)"],
    ["(a,b)[x;", 'comment: must end with "]"'],
    ["(a,b)];", 'unexpected "]"'],
    ["(a,b);(c,d);", "text: must end after one tree, got more (column 7)"],
  ])("%j is refused", (text, message) => {
    expect(() => parseNewick(text, { file: "x" })).toThrow(FormatError);
    expect(() => parseNewick(text, { file: "x" })).toThrow(message);
  });

  test("errors name the line", () => {
    expect(() => parseNewick("(a,\nb:?);", { file: "t.nwk" })).toThrow(
      't.nwk, line 2: Newick: branch length: must be a number, got "?" (column 3)',
    );
  });

  test("any text is a tree or a FormatError", () => {
    const text = fc.oneof(
      fc.string(),
      fc.array(fc.constantFrom(..."(),;:'[]a1 \n")).map((parts) => parts.join("")),
    );
    fc.assert(
      fc.property(text, (text) => {
        try {
          parseNewick(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("formatNewick", () => {
  test("quotes only where it must", () => {
    const tree = {
      name: "",
      children: [leaf("a_b", 1e-7), leaf("it's"), leaf("a b"), leaf("x:y"), leaf("")],
    };
    expect(formatNewick(tree)).toBe("(a_b:1e-7,'it''s','a b','x:y',);");
  });

  test("what is written reads back", () => {
    const name = fc.oneof(fc.string(), fc.stringMatching(/^[()[\]':;, a]*$/));
    const length = fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0); // no −0
    const { tree } = fc.letrec<{ tree: TreeNode; children: TreeNode[] }>((tie) => ({
      tree: fc.record({ name, length, children: tie("children") }, { requiredKeys: ["name", "children"] }),
      children: fc.oneof(
        { maxDepth: 4 },
        fc.constant<TreeNode[]>([]),
        fc.array(tie("tree"), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(tree, (tree) => {
        // A tree that is one nameless node would be a semicolon alone.
        fc.pre(tree.name !== "" || tree.length !== undefined || tree.children.length > 0);
        expect(parseNewick(formatNewick(tree))).toEqual(tree);
      }),
    );
  });

  test("a length that is not finite is refused", () => {
    expect(() => formatNewick(leaf("a", NaN))).toThrow('branch length: must be finite, got NaN above "a"');
  });

  test("a caterpillar of 50,000 leaves overflows no stack", () => {
    let tree = leaf("l0", 1);
    for (let i = 1; i < 50_000; i++) tree = { name: "", length: 1, children: [tree, leaf(`l${i}`, 1)] };
    const text = formatNewick(tree);
    expect(formatNewick(parseNewick(text))).toBe(text);
  });
});

describe.skipIf(!hasData)("real trees (needs ../shared/data or EMBRANCH_DATA)", () => {
  test.each([
    ["16s-full/gg85.tree", 4797],
    ["msa/phylo_rpsS.tree", 1277],
  ])("%s", (name, leaves) => {
    const tree = parseNewick(readFileSync(dataPath(name), "utf8"), { file: name });
    const names = leafNames(tree);
    expect(new Set(names).size).toBe(leaves);
    expect(parseNewick(formatNewick(tree))).toEqual(tree);
  });
});
