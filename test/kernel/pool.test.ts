import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { expect, test } from "vitest";
import { EmbranchError } from "../../src/error.ts";
import { WorkerPool } from "../../src/kernel/pool.ts";

const script = (code: string): URL => new URL(`data:text/javascript,${encodeURIComponent(code)}`);

test("a crashing thread rejects the running request and those to come", async () => {
  const crash =
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => { throw new Error("boom"); });';
  const pool = new WorkerPool(script(crash), undefined, 2);
  await expect(pool.run({}, 5, 5)).rejects.toThrow("worker pool: a worker thread crashed: boom");
  await expect(pool.run({}, 5, 5)).rejects.toThrow(EmbranchError);
  await pool.close();
});

test("a thread that exits rejects the running request", async () => {
  const exit =
    'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(3));';
  const pool = new WorkerPool(script(exit), undefined, 1);
  await expect(pool.run({}, 1, 1)).rejects.toThrow("worker pool: a worker thread stopped unexpectedly");
  await pool.close();
});

test("a module that does not load rejects the request", async () => {
  const pool = new WorkerPool(new URL("file:///nowhere/worker.js"), undefined, 1);
  await expect(pool.run({}, 1, 1)).rejects.toThrow(EmbranchError);
  await pool.close();
});

test("however many threads are asked for, a pool has a few for each that the machine runs", async () => {
  const pool = new WorkerPool(script(""), undefined, 100_000);
  expect(pool.size).toBe(4 * availableParallelism());
  await pool.close();
});

test.each([
  ["an idle pool lets the process end", ""],
  ["closing a pool is waited for", "await distances.close(); process.stdout.write(' closed');"],
])("%s", (_, last) => {
  const library = new URL("../../dist/kernel/index.js", import.meta.url).href;
  const program = `
    import { EditDistances, packCodes } from "${library}";
    const distances = await EditDistances.create({ threads: 2 });
    const found = await distances.allPairs(packCodes([Uint8Array.of(1, 2), Uint8Array.of(1, 3, 3)]));
    process.stdout.write(String(found[0]));
    ${last}`;
  const { status, stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    timeout: 60_000,
  });
  expect([status, stdout.toString()]).toEqual([0, last ? "2 closed" : "2"]);
});
