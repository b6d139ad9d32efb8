/**
 * @file Newick: trees as nested parentheses, `((a:0.1,b:0.2)ab:0.3,c);`.
 *
 * Read: names with or without single quotes (`''` is a quote inside one), branch lengths, comments in square
 * brackets (nested ones too; dropped), white space and line breaks anywhere between. Names are kept as they
 * stand: an underscore stays an underscore, since sequence ids are full of them. Refused: unbalanced
 * parentheses, blanks in names without quotes, lengths that are not numbers, a missing semicolon (a sign of a
 * truncated file), text after it. Neither reading nor writing recurses, so caterpillars of 10⁶ leaves are fine.
 *
 * Source: Olsen, "Newick's 8:45 tree format standard", 1990.
 */

import { FormatError, type Location } from "../error.ts";

/** A node of a rooted tree; a leaf has no children. */
export interface TreeNode {
  /** Name; empty when it has none. */
  name: string;
  /** Length of the branch above; absent when it has none. */
  length?: number;
  children: TreeNode[];
}

const SPECIAL = "()[]':;,";
const BLANKS = /\s*/y;
const PLAIN_NAME = /[^\s()[\]':;,]*/y;
const NEEDS_QUOTES = /[\s()[\]':;,]/;

/** A name as Newick writes it, in quotes where it needs them. */
export function formatNewickName(name: string): string {
  return NEEDS_QUOTES.test(name) ? `'${name.replaceAll("'", "''")}'` : name;
}

/** The tree as one line of Newick with its semicolon; throws `RangeError` for a length that is not finite. */
export function formatNewick(tree: TreeNode): string {
  const parts: string[] = [];
  const stack: { node: TreeNode; next: number }[] = [{ node: tree, next: 0 }];
  for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
    const { node, next } = top;
    if (next < node.children.length) {
      parts.push(next === 0 ? "(" : ",");
      top.next++;
      stack.push({ node: node.children[next], next: 0 });
      continue;
    }
    if (next > 0) parts.push(")");
    parts.push(formatNewickName(node.name));
    if (node.length !== undefined) {
      if (!Number.isFinite(node.length)) {
        throw new RangeError(`branch length: must be finite, got ${node.length} above "${node.name}"`);
      }
      parts.push(":", String(node.length));
    }
    stack.pop();
  }
  parts.push(";");
  return parts.join("");
}

/** A word of Newick: a special character, a name, or the end. */
interface Token {
  kind: "special" | "name" | "end";
  text: string;
  /** Where it begins. */
  start: number;
}

/** Reads the words of a Newick text one by one. */
function tokenizer(text: string, fail: (message: string, position: number) => FormatError): () => Token {
  let position = 0;

  /** The longest match of a sticky pattern here, which may be empty; moves behind it. */
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = position;
    const found = pattern.exec(text)?.[0] ?? "";
    position += found.length;
    return found;
  };

  const skipComment = (): void => {
    const start = position;
    let depth = 0;
    do {
      if (position >= text.length) throw fail('comment: must end with "]", got the end of the file', start);
      if (text[position] === "[") depth++;
      if (text[position] === "]") depth--;
      position++;
    } while (depth > 0);
  };

  const quotedName = (): Token => {
    const start = position;
    let close = position;
    do {
      close = text.indexOf("'", close + 1);
      if (close < 0) throw fail("name: must end with a quote, got the end of the file", start);
    } while (text[close + 1] === "'" && ++close);
    position = close + 1;
    return { kind: "name", text: text.slice(start + 1, close).replaceAll("''", "'"), start };
  };

  return () => {
    for (;;) {
      take(BLANKS);
      if (text[position] !== "[") break;
      skipComment();
    }
    const start = position;
    if (position >= text.length) return { kind: "end", text: "", start };
    const first = text[position];
    if (first === "'") return quotedName();
    if (SPECIAL.includes(first)) {
      position++;
      return { kind: "special", text: first, start };
    }
    return { kind: "name", text: take(PLAIN_NAME), start };
  };
}

const NUMBER = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/;

/**
 * Reads one tree.
 *
 * @throws FormatError, with line and column, for anything that is not one well-formed tree.
 */
export function parseNewick(text: string, location: Location = {}): TreeNode {
  const fail = (message: string, position: number): FormatError => {
    const before = text.slice(0, position);
    const line = before.split("\n").length;
    const column = position - before.lastIndexOf("\n");
    return new FormatError(`Newick: ${message} (column ${column})`, { ...location, line });
  };
  const next = tokenizer(text.startsWith("\uFEFF") ? text.slice(1) : text, fail);

  const root: TreeNode = { name: "", children: [] };
  const ancestors: TreeNode[] = [];
  let node = root;
  /** What the current node has so far. */
  let has: "nothing" | "children" | "name" | "length" = "nothing";

  for (let token = next(); ; token = next()) {
    const { start } = token;
    if (token.kind === "end") {
      if (node === root && has === "nothing") throw fail("must hold a tree, got an empty text", start);
      const open = ancestors.length > 0 ? `${ancestors.length} open "("` : "no semicolon";
      throw fail(`tree: must end with ";", got the end of the text with ${open}: it looks truncated`, start);
    }
    if (token.kind === "name") {
      if (has === "name" || has === "length") {
        throw fail(`name: must be in quotes when it holds blanks, got a second word "${token.text}"`, start);
      }
      node.name = token.text;
      has = "name";
      continue;
    }
    switch (token.text) {
      case "(": {
        if (has !== "nothing") throw fail('"(": must follow "(" or ",", got it after a node', start);
        ancestors.push(node);
        node = addChild(node);
        break;
      }
      case ",": {
        const parent = ancestors.at(-1);
        if (parent === undefined) throw fail('",": must stand inside parentheses, got it outside', start);
        node = addChild(parent);
        has = "nothing";
        break;
      }
      case ")": {
        const parent = ancestors.pop();
        if (parent === undefined) throw fail('")": must close a "(", got one too many', start);
        node = parent;
        has = "children";
        break;
      }
      case ":": {
        if (has === "length") throw fail("branch length: must be given once, got two", start);
        const value = next();
        if (value.kind !== "name" || !NUMBER.test(value.text)) {
          throw fail(`branch length: must be a number, got "${value.text}"`, value.start);
        }
        node.length = Number(value.text);
        has = "length";
        break;
      }
      case ";": {
        if (ancestors.length > 0) {
          throw fail(`tree: must close every "(", got ";" with ${ancestors.length} open`, start);
        }
        if (has === "nothing") throw fail("must hold a tree, got a semicolon alone", start);
        const after = next();
        if (after.kind !== "end") throw fail("text: must end after one tree, got more", after.start);
        return root;
      }
      default:
        throw fail(`unexpected "${token.text}"`, start);
    }
  }
}

function addChild(parent: TreeNode): TreeNode {
  const child: TreeNode = { name: "", children: [] };
  parent.children.push(child);
  return child;
}

/** Names of the leaves, from left to right. */
export function leafNames(tree: TreeNode): string[] {
  const names: string[] = [];
  const stack = [tree];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node.children.length === 0) names.push(node.name);
    for (let i = node.children.length - 1; i >= 0; i--) stack.push(node.children[i]);
  }
  return names;
}
