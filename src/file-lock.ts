/**
 * @file A lock that processes hold by creating a file that must not exist before.
 *
 * The file names its process, and a lock whose process has died is taken over. Locks of other machines are left
 * alone: whether their processes live cannot be known from here. Should two processes take over the same dead lock
 * at the same moment, both may hold it; what it guards must bear that (results told apart by keys, files renamed
 * into place).
 */

import { open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { explain, systemCode } from "./system-error.ts";

/** Releases a lock. */
export type Release = () => Promise<void>;

interface LockOwner {
  pid: number;
  host: string;
}

/** Seconds after which a lock without an owner counts as left behind: its process died while writing it. */
const UNSIGNED_SECONDS = 10;

/** Takes the lock `file`; undefined while another process has it. */
export async function takeLock(file: string): Promise<Release | undefined> {
  if (!(await create(file))) {
    if (!(await isStale(file))) return undefined;
    await rm(file, { force: true });
    if (!(await create(file))) return undefined;
  }
  return () => rm(file, { force: true });
}

/** Creates a lock of this process; false where there is one already. */
async function create(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    const owner: LockOwner = { pid: process.pid, host: hostname() };
    await handle.writeFile(JSON.stringify(owner));
    await handle.close();
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw explain(error, file, "written");
  }
}

/** Whether the process that made the lock has died; a lock that has just gone counts as such. */
async function isStale(file: string): Promise<boolean> {
  let text: string;
  let modified: number;
  try {
    text = await readFile(file, "utf8");
    modified = (await stat(file)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw explain(error, file, "read");
  }
  const owner = parseOwner(text);
  if (owner === undefined) return Date.now() - modified > 1000 * UNSIGNED_SECONDS;
  return owner.host === hostname() && !isAlive(owner.pid);
}

/** Who holds a lock; undefined while the name is being written, and where it never was. */
function parseOwner(text: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(text) as Partial<LockOwner> | null;
    if (typeof owner?.pid === "number" && typeof owner.host === "string") return owner as LockOwner;
  } catch {
    // Cut short.
  }
  return undefined;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user lives, though it may not be signalled.
    return systemCode(error) === "EPERM";
  }
}
