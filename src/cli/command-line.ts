/** @file Command lines as text. */

/** A command line as a shell takes it. */
export function commandLine(words: readonly string[]): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return ["embranch", ...words.map(quoted)].join(" ");
}
