/**
 * @file What the operating system says when a file cannot be used, in one line that says what to do.
 */
import { EmbranchError } from "./error.ts";

const REASONS: Record<string, string> = {
  ENOENT: "there is no such file or directory; check the path",
  ENOTDIR: "a part of the path is a file, not a directory; check the path",
  EISDIR: "it is a directory; name a file",
  EACCES: "permission is denied; choose another place or ask its owner",
  EPERM: "permission is denied; choose another place or ask its owner",
  EROFS: "the file system is read-only; choose another place",
  ENOSPC: "the disk is full; free some space or choose another place",
  EDQUOT: "your disk quota is used up; free some space or choose another place",
  EFBIG: "the file grew past the largest size allowed here; choose another file system",
  EMFILE: "too many files are open; raise the limit with ulimit -n",
  ENAMETOOLONG: "the name is too long; choose a shorter one",
  ELOOP: "its symbolic links lead in a circle; check the path",
  EIO: "the disk or the network reported a fault; try another place",
};

/** The error code of a failed system call, such as `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Turns a failed system call into an `EmbranchError` that names the file; every other error is given back. */
export function explain(error: unknown, file: string, verb: "read" | "written"): unknown {
  const code = systemCode(error);
  if (code === undefined || error instanceof EmbranchError || !/^E[A-Z0-9]+$/.test(code)) return error;
  const reason = REASONS[code] ?? (error as Error).message.split("\n")[0];
  return new EmbranchError(`${file}: cannot be ${verb}: ${reason} (${code})`, { cause: error });
}
