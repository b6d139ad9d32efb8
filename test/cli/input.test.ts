import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { openByteFile, openInput } from "../../src/cli/input.ts";
import { EmbranchError } from "../../src/error.ts";

const directory = mkdtempSync(join(tmpdir(), "embranch-input-"));
afterAll(() => rmSync(directory, { recursive: true }));
const path = join(directory, "a.fasta");
const content = ">a\nACGT\n".repeat(100_000);
writeFileSync(path, content);

async function text(bytes: AsyncIterable<Uint8Array>): Promise<string> {
  let all = "";
  for await (const chunk of bytes) all += Buffer.from(chunk).toString();
  return all;
}

async function* stdin(): AsyncGenerator<Uint8Array> {
  yield Buffer.from(">a\n");
  yield Buffer.from("ACGT\n");
}

test("a file streams, and its bytes are counted", async () => {
  const input = await openInput(path);
  expect([input.name, input.size, input.bytesRead]).toEqual([path, content.length, 0]);
  expect(await text(input.bytes)).toBe(content);
  expect(input.bytesRead).toBe(content.length);
  await input.close();
});

test("a file may be left before its end", async () => {
  const input = await openInput(path);
  for await (const chunk of input.bytes) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  await input.close();
  await (await openInput(path)).close();
});

test("- is standard input", async () => {
  const input = await openInput("-", { stdin: stdin() });
  expect([input.name, input.size]).toEqual(["stdin", undefined]);
  expect(await text(input.bytes)).toBe(">a\nACGT\n");
});

test("files and standard input can be read at any place", async () => {
  for (const file of [await openByteFile(path), await openByteFile("-", { stdin: stdin() })]) {
    expect(Buffer.from(await file.slice(1, 6)).toString()).toBe("a\nACG");
    expect((await file.slice(3)).byteLength).toBe(file.byteLength - 3);
    await file.close();
  }
});

test.each([
  [
    "a file that is not there",
    join(directory, "b.fasta"),
    /b\.fasta: cannot be read: .*no such file.*\(ENOENT\)$/,
  ],
  ["a directory", directory, /cannot be read: it is a directory; name a file \(EISDIR\)$/],
  ["a path through a file", join(path, "x"), /cannot be read: .*\(ENOTDIR\)$/],
])("%s is refused in one line", async (_, path, message) => {
  for (const open of [openInput, openByteFile]) {
    const error: unknown = await open(path).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(EmbranchError);
    expect((error as Error).message).toMatch(message);
  }
});
