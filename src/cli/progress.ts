/**
 * @file Progress on standard error.
 *
 * On a terminal, a bar that is redrawn ten times a second at most; elsewhere (a log, a batch job) a line every few
 * seconds; with `quiet`, nothing. Standard output stays free for results.
 *
 * The rate is that of the last half minute or so (an exponential average over time, not over calls), so that the
 * estimate follows a change of speed and does not tremble. Where work is bounded by the clock or by bytes and not
 * by items, the caller passes the fraction done, and the bar and the estimate follow that.
 */
import { createColors } from "picocolors";

export interface ProgressOptions {
  /** Number of items in all, where it is known. */
  total?: number;
  /** What the items are, in the plural: `steps`, `sequences`; default `items`. */
  unit?: string;
  /** Say nothing. */
  quiet?: boolean;
  /** Where to write; default `process.stderr`. */
  stream?: ProgressStream;
  /** Milliseconds; default the system's monotonic clock. */
  now?: () => number;
  /** Seconds between lines where there is no terminal; default 5. */
  interval?: number;
}

/** What is needed of a stream. */
export interface ProgressStream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
}

export interface ProgressUpdate {
  /** What else is worth knowing, such as `loss 0.0123`. */
  message?: string;
  /** How much of the work is done, 0 … 1, where it is not done / total. */
  fraction?: number;
}

const BAR_WIDTH = 24;
const REDRAW_SECONDS = 0.1;
const MEMORY_SECONDS = 30;
/** Units a second below which a rate says nothing. */
const SLOWEST = 0.01;

/** A running display of one long job. */
export class Progress {
  readonly #label: string;
  readonly #total: number | undefined;
  readonly #unit: string;
  readonly #stream: ProgressStream;
  readonly #quiet: boolean;
  readonly #terminal: boolean;
  readonly #interval: number;
  readonly #now: () => number;
  readonly #started: number;
  readonly #colors: ReturnType<typeof createColors>;
  #shown = -Infinity;
  #drawn = false;
  #done = 0;
  #message = "";
  #fraction: number | undefined;
  // The averages: what was done, and the share of the work, per second.
  #rate = new RecentRate();
  #speed = new RecentRate();

  constructor(label: string, options: ProgressOptions = {}) {
    const { total, unit = "items", quiet = false, interval = 5, now = () => performance.now() } = options;
    const stream = options.stream ?? process.stderr;
    this.#label = label;
    this.#total = total;
    this.#unit = unit;
    this.#stream = stream;
    this.#quiet = quiet;
    this.#terminal = stream.isTTY === true && process.env.TERM !== "dumb";
    this.#interval = this.#terminal ? REDRAW_SECONDS : interval;
    this.#now = () => now() / 1000;
    this.#started = this.#now();
    this.#colors = createColors(this.#terminal && !process.env.NO_COLOR);
    if (!this.#terminal) this.#shown = this.#started;
  }

  /** Tells how many items are done in all. */
  update(done: number, { message, fraction }: ProgressUpdate = {}): void {
    this.#done = done;
    if (message !== undefined) this.#message = message;
    this.#fraction = fraction ?? (this.#total ? done / this.#total : undefined);
    if (this.#quiet) return;
    const now = this.#now();
    if (now - this.#shown < this.#interval) return;
    this.#shown = now;
    const elapsed = now - this.#started;
    this.#rate.add(done, elapsed);
    if (this.#fraction !== undefined) this.#speed.add(this.#fraction, elapsed);
    if (this.#terminal) this.#draw();
    else this.#stream.write(`${this.#label}: ${this.#parts(this.#share()).join(", ")}\n`);
  }

  /** Writes a line of its own, above the bar. */
  note(text: string): void {
    if (this.#quiet) return;
    this.#erase();
    this.#stream.write(`${text}\n`);
    if (this.#terminal && this.#shown > -Infinity) this.#draw();
  }

  /** Ends the display with a line that says how long it took; `message` takes the place of the last one. */
  finish(message = this.#message): void {
    if (this.#quiet) return;
    this.#erase();
    const seconds = this.#now() - this.#started;
    const what = `${formatCount(this.#done)} ${this.#unit} in ${formatDuration(seconds)}`;
    const rate = this.#done > 0 && seconds > 0 ? ` (${formatRate(this.#done / seconds)})` : "";
    // What is noted from now on stands alone.
    this.#shown = -Infinity;
    const mark = this.#terminal ? `${this.#colors.green("✓")} ` : "";
    this.#stream.write(`${mark}${this.#label}: ${what}${rate}${message ? `, ${message}` : ""}\n`);
  }

  /** Removes the bar without a word, before an error is reported. */
  stop(): void {
    this.#erase();
  }

  #share(): string {
    return this.#fraction === undefined ? "" : ` (${Math.floor(clamp(this.#fraction) * 100)} %)`;
  }

  /** Count, rate, time left (or gone) and message. */
  #parts(share: string): string[] {
    const total = this.#total === undefined ? "" : ` of ${formatCount(this.#total)}`;
    const parts = [`${formatCount(this.#done)}${total} ${this.#unit}${share}`];
    if (this.#rate.perSecond >= SLOWEST) parts.push(formatRate(this.#rate.perSecond));
    const left = (1 - (this.#fraction ?? 0)) / this.#speed.perSecond;
    if (this.#fraction === undefined) parts.push(`${formatDuration(this.#now() - this.#started)} so far`);
    else if (left < Infinity) parts.push(`${formatDuration(Math.max(0, left))} left`);
    if (this.#message !== "") parts.push(this.#message);
    return parts;
  }

  #draw(): void {
    const { bold, cyan, dim } = this.#colors;
    const columns = this.#stream.columns ?? 80;
    const parts = this.#parts("");
    let bar = "";
    let width = this.#label.length + 1;
    if (this.#fraction !== undefined) {
      const length = Math.max(0, Math.min(BAR_WIDTH, columns - width - 24));
      const filled = Math.round(clamp(this.#fraction) * length);
      const percent = `${Math.floor(clamp(this.#fraction) * 100)} %`.padStart(5);
      bar = `${cyan("━".repeat(filled))}${dim("━".repeat(length - filled))} ${percent}  `;
      width += length + percent.length + 3;
    }
    // A line that wraps cannot be redrawn: leave out what does not fit, the count first and the message last.
    let text = parts.join("  ");
    while (parts.length > 1 && width + text.length >= columns) {
      parts.shift();
      text = parts.join("  ");
    }
    text = text.slice(0, Math.max(0, columns - width - 1));
    this.#stream.write(`\r\x1b[2K${bold(this.#label)} ${bar}${text}`);
    this.#drawn = true;
  }

  #erase(): void {
    if (this.#drawn) this.#stream.write("\r\x1b[2K");
    this.#drawn = false;
  }
}

/** How fast a growing number has been growing lately. */
class RecentRate {
  perSecond = 0;
  #value = 0;
  #seconds = 0;

  add(value: number, seconds: number): void {
    const passed = seconds - this.#seconds;
    if (passed <= 0) return;
    const current = (value - this.#value) / passed;
    // The first measurement counts in full, later ones by the time they cover.
    const weight = this.#seconds === 0 ? 1 : 1 - Math.exp(-passed / MEMORY_SECONDS);
    this.perSecond += weight * (current - this.perSecond);
    this.#value = value;
    this.#seconds = seconds;
  }
}

function clamp(fraction: number): number {
  return Math.min(1, Math.max(0, fraction));
}

/** A whole number with thousands separated: `1,234,567`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** A rate with three significant digits: `0.25/s`, `312/s`, `1.24 M/s`. */
export function formatRate(perSecond: number): string {
  for (const [scale, suffix] of [
    [1e9, " G"],
    [1e6, " M"],
    [1e4, " k"],
  ] as const) {
    const divisor = scale === 1e4 ? 1e3 : scale;
    if (perSecond >= scale) return `${Number((perSecond / divisor).toPrecision(3))}${suffix}/s`;
  }
  return `${perSecond >= 1000 ? formatCount(perSecond) : Number(perSecond.toPrecision(3))}/s`;
}

/** A time as `0.8 s`, `42 s`, `3:07` (minutes) or `1:02:03` (hours). */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}
