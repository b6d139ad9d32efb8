/**
 * @file The family of errors that users meet.
 *
 * A message is one line, `thing: rule, got value`, and says what to do. The command line prints it and
 * exits with `exitCode`; anything that is not an `EmbranchError` is a defect of ours and keeps its stack.
 */

/** The data, the model or the run is at fault (exit code 1). */
export class EmbranchError extends Error {
  override name = "EmbranchError";
  /** What the command line exits with: 1 for the data or the run, 2 for the command line itself. */
  readonly exitCode: number = 1;
}

/** Where in an input an error was found. */
export interface Location {
  /** File name as the user gave it; `stdin` for standard input. */
  file?: string;
  /** Line number, from 1. */
  line?: number;
  /** Identifier of the record. */
  record?: string;
}

/** Input that breaks the rules of its format; carries file, line and record. */
export class FormatError extends EmbranchError {
  override name = "FormatError";
  readonly location: Location;

  constructor(message: string, location: Location = {}, options?: ErrorOptions) {
    const { file, line, record } = location;
    const where = [file, line === undefined ? undefined : `line ${line}`, record && `record "${record}"`]
      .filter((part) => part !== undefined && part !== "")
      .join(", ");
    super(where ? `${where}: ${message}` : message, options);
    this.location = location;
  }
}

/** An option or argument outside its domain (exit code 2). */
export class UsageError extends EmbranchError {
  override name = "UsageError";
  override readonly exitCode = 2;
}
