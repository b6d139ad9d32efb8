import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { BrokenPipe, openOutput, writeChunks, writeOutput } from "../../src/cli/output.ts";
import { EmbranchError } from "../../src/error.ts";

const root = mkdtempSync(join(tmpdir(), "embranch-output-"));
let directory: string;
let count = 0;
beforeEach(() => {
  directory = join(root, String(count++));
  mkdirSync(directory);
});
afterAll(() => rmSync(root, { recursive: true }));

const at = (name: string): string => join(directory, name);

/** Awaits an EmbranchError of one line and gives its message. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(EmbranchError);
  const { message } = error as EmbranchError;
  expect(message).not.toContain("\n");
  return message;
}

describe("a file", () => {
  test("appears when it is complete, and only then", async () => {
    const output = await openOutput(at("d.tsv"));
    await output.write("a\t1\n");
    await output.write(new TextEncoder().encode("b\t2\n"));
    expect(existsSync(at("d.tsv"))).toBe(false);
    await output.commit();
    await output.discard();
    expect(readFileSync(at("d.tsv"), "utf8")).toBe("a\t1\nb\t2\n");
    expect(readdirSync(directory)).toEqual(["d.tsv"]);
  });

  test("may reuse the array it was written from", async () => {
    const bytes = new Uint8Array(1000);
    const large = new Uint8Array(100_000);
    await writeOutput(at("z"), async (output) => {
      for (let i = 1; i <= 150; i++) {
        await output.write(bytes.fill(i));
        await output.write(large.fill(i).subarray(0, i === 75 ? 100_000 : 0));
      }
    });
    const expected = [];
    for (let i = 1; i <= 150; i++) expected.push(Buffer.alloc(i === 75 ? 101_000 : 1000, i));
    expect(readFileSync(at("z")).equals(Buffer.concat(expected))).toBe(true);
  });

  test("is patched in place, also where bytes are still gathered", async () => {
    await writeOutput(at("z"), async (output) => {
      await output.write("0000 rest");
      await output.patch?.(1, new TextEncoder().encode("42"));
      await output.write(" and more");
    });
    expect(readFileSync(at("z"), "utf8")).toBe("0420 rest and more");
  });

  test("keeps its old content, and nothing else is left, when writing fails", async () => {
    writeFileSync(at("d.tsv"), "old");
    const failing = writeOutput(at("d.tsv"), async (output) => {
      await output.write("new".repeat(100_000));
      expect(readdirSync(directory)).toHaveLength(2);
      throw new EmbranchError("sequence: too long");
    });
    await expect(failing).rejects.toThrow("sequence: too long");
    expect(readFileSync(at("d.tsv"), "utf8")).toBe("old");
    expect(readdirSync(directory)).toEqual(["d.tsv"]);
    expect(process.listenerCount("SIGINT")).toBe(0);
  });

  test("takes over the permissions of the file that it replaces", async () => {
    writeFileSync(at("d.tsv"), "old", { mode: 0o600 });
    await writeChunks(at("d.tsv"), ["new"]);
    expect(statSync(at("d.tsv")).mode & 0o777).toBe(0o600);
  });

  test("is replaced behind a symbolic link, and the link stays", async () => {
    writeFileSync(at("real"), "old");
    symlinkSync("real", at("link"));
    await writeChunks(at("link"), ["new"]);
    expect(readlinkSync(at("link"))).toBe("real");
    expect(readFileSync(at("real"), "utf8")).toBe("new");
  });

  test("written twice at once is whole in either case", async () => {
    const letters = ["a", "b", "c"];
    await Promise.all(letters.map((letter) => writeChunks(at("z"), [letter.repeat(200_000)])));
    expect(readFileSync(at("z"), "utf8")).toMatch(/^(a{200000}|b{200000}|c{200000})$/);
    expect(readdirSync(directory)).toEqual(["z"]);
  });
});

describe("what cannot be written is refused in one line", () => {
  test("a directory that is not there", async () => {
    expect(await refusal(openOutput(at("no/d.tsv")))).toMatch(/no\/d\.tsv: cannot be written: .*\(ENOENT\)$/);
  });

  test("a file where a directory should be", async () => {
    writeFileSync(at("file"), "");
    expect(await refusal(openOutput(at("file/d.tsv")))).toMatch(/\(ENOTDIR\)$/);
  });

  test("a directory", async () => {
    expect(await refusal(openOutput(directory))).toMatch(/it is a directory; name a file \(EISDIR\)$/);
    expect(await refusal(openOutput(at("new/")))).toMatch(/\(EISDIR\)$/);
  });

  test.skipIf(process.platform !== "linux")("a directory that may not be written", async () => {
    // Not even root may make files here.
    expect(await refusal(openOutput("/proc/embranch.tsv"))).toMatch(
      /^\/proc\/embranch\.tsv: cannot be written/,
    );
  });

  test.skipIf(process.getuid?.() === 0)("a file that may not be written", async () => {
    writeFileSync(at("d.tsv"), "old", { mode: 0o400 });
    expect(await refusal(openOutput(at("d.tsv")))).toMatch(/permission is denied.*\(EACCES\)$/);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk", async () => {
    const small = writeChunks("/dev/full", ["x"]);
    expect(await refusal(small)).toMatch(/^\/dev\/full: cannot be written: the disk is full; .*\(ENOSPC\)$/);
    expect(await refusal(writeChunks("/dev/full", [new Uint8Array(1 << 20)]))).toMatch(/\(ENOSPC\)$/);
    expect(statSync("/dev/full").isCharacterDevice()).toBe(true);
  });
});

test.skipIf(!existsSync("/dev/null"))("a device is written in place", async () => {
  await writeChunks("/dev/null", ["x".repeat(200_000)]);
  expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
});

describe("standard output", () => {
  test("takes what has no target or the target -", async () => {
    const pieces: string[] = [];
    const stdout = new Writable({
      write(chunk: Buffer, _, done) {
        pieces.push(chunk.toString());
        done();
      },
    });
    await writeChunks(undefined, ["a", "b"], { stdout });
    await writeChunks("-", ["c"], { stdout });
    expect(pieces.join("")).toBe("abc");
    expect(stdout.writable).toBe(true);
    expect("patch" in (await openOutput("-", { stdout }))).toBe(false);
  });

  test("whose reader has gone is no error of ours", async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write EPIPE"), { code: "EPIPE" })),
    });
    const error: unknown = await writeChunks("-", ["a"], { stdout }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(BrokenPipe);
    expect((error as BrokenPipe).exitCode).toBe(0);
  });

  test("on a full disk is refused like a file", async () => {
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => done(Object.assign(new Error("write ENOSPC"), { code: "ENOSPC" })),
    });
    expect(await refusal(writeChunks("-", ["a"], { stdout }))).toMatch(
      /^stdout: cannot be written: the disk is full/,
    );
  });
});

/** The same modules as JavaScript, for processes of their own. */
describe("a process that ends", () => {
  const source = fileURLToPath(new URL("../../src/", import.meta.url));
  const modules = join(root, "modules");

  beforeAll(() => {
    for (const path of ["error.ts", "cli/output.ts", "cli/signals.ts", "system-error.ts"]) {
      const { outputText } = ts.transpileModule(readFileSync(join(source, path), "utf8"), {
        compilerOptions: {
          module: ts.ModuleKind.ESNext,
          target: ts.ScriptTarget.ES2022,
          rewriteRelativeImportExtensions: true,
          verbatimModuleSyntax: true,
        },
      });
      const target = join(modules, path.replace(/\.ts$/, ".js"));
      mkdirSync(dirname(target), { recursive: true });
      writeFileSync(target, outputText);
    }
    writeFileSync(join(modules, "package.json"), '{"type":"module"}');
  });

  function script(body: string): string {
    const path = join(modules, `script-${count}.js`);
    const head = 'import { BrokenPipe, openOutput, writeChunks, writeOutput } from "./cli/output.js";\n';
    writeFileSync(path, `${head}const target = ${JSON.stringify(at("z"))};\n${body}`);
    return path;
  }

  const WAIT = `
    const output = await openOutput(target);
    await output.write("half");
    console.log("ready");
    setInterval(() => {}, 1000);`;

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("by %s leaves nothing", async (signal) => {
    const child = spawn(process.execPath, [script(WAIT)], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^\.z\..*\.part$/)]);
    child.kill(signal);
    const [code, by] = (await once(child, "exit")) as [number | null, string | null];
    expect([code, by]).toEqual([null, signal]);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("by a signal that something else answers may finish its files", async () => {
    const body = `
      const output = await openOutput(target);
      process.on("SIGINT", async () => { await output.write(" whole"); await output.commit(); process.exit(7); });
      await output.write("saved");
      console.log("ready");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, [script(body)], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([7, null]);
    expect(readFileSync(at("z"), "utf8")).toBe("saved whole");
    expect(readdirSync(directory)).toEqual(["z"]);
  });

  test("by process.exit or an error that nobody catches leaves nothing", () => {
    for (const end of ["process.exit(3)", "throw new Error('defect')"]) {
      const body = `const output = await openOutput(target); await output.write("half"); ${end};`;
      expect(spawnSync(process.execPath, [script(body)]).status).not.toBe(0);
      expect(readdirSync(directory)).toEqual([]);
    }
  });

  test("because its reader has gone ends quietly", () => {
    const body = `
      try { for (;;) await writeChunks("-", ["line\\n".repeat(1000)]); }
      catch (error) { if (!(error instanceof BrokenPipe)) throw error; process.exitCode = error.exitCode; }`;
    const { stdout, stderr } = spawnSync(
      "bash",
      ["-c", `${JSON.stringify(process.execPath)} ${JSON.stringify(script(body))} | head -n 1; echo "\${PIPESTATUS[0]}"`],
      { encoding: "utf8" },
    ); // prettier-ignore
    expect([stdout, stderr]).toEqual(["line\n0\n", ""]);
  });
});
