/**
 * @file Tables of a terminal: columns aligned, numbers to the right.
 */

export interface TableOptions {
  /** One letter a column: `l` left, `r` right; default: left for the first, right for the others. */
  align?: string;
  /** Text between columns; default two spaces. */
  gap?: string;
}

/** A number with so many decimals, and a dash for one that is not defined. */
export function decimals(value: number | null, digits: number, unit = ""): string {
  return value === null || Number.isNaN(value) ? "–" : value.toFixed(digits) + unit;
}

/** Lays out rows of cells, the first row being the header, as lines without a trailing line break. */
export function formatTable(
  rows: readonly (readonly (string | number)[])[],
  { align = "l", gap = "  " }: TableOptions = {},
): string {
  const cells = rows.map((row) => row.map(String));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) =>
    Math.max(...cells.map((row) => (row[i] ?? "").length)),
  );
  return cells
    .map((row) =>
      widths
        .map((width, i) =>
          (align[i] ?? "r") === "l" ? (row[i] ?? "").padEnd(width) : (row[i] ?? "").padStart(width),
        )
        .join(gap)
        .trimEnd(),
    )
    .join("\n");
}
