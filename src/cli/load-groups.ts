/** @file Reading the groups that the user named into memory. */

import { alphabetNamed, type Alphabet, type AlphabetName } from "../sequence/index.ts";
import { readGroups, type Groups } from "../task/consensus/groups.ts";
import { openInput } from "./input.ts";
import { Progress } from "./progress.ts";

export interface LoadGroupsOptions {
  /** Name or object of the alphabet; guessed without it. */
  alphabet?: AlphabetName | Alphabet;
  quiet?: boolean;
}

/** Reads a table of groups (`-` is standard input) and says what was odd about it. */
export async function loadGroups(path: string, { alphabet, quiet }: LoadGroupsOptions = {}): Promise<Groups> {
  const input = await openInput(path);
  const progress = new Progress(`reading ${input.name}`, { unit: "sequences", quiet });
  try {
    const groups = await readGroups(input.bytes, {
      alphabet: typeof alphabet === "string" ? alphabetNamed(alphabet) : alphabet,
      file: input.name,
      progress: (count) =>
        progress.update(count, { fraction: input.size ? input.bytesRead / input.size : undefined }),
    });
    progress.stop();
    const { records, letters } = groups.ambiguous;
    if (records > 0) {
      progress.note(
        `${input.name}: ${records} sequences hold ambiguity letters (${letters} in all); ` +
          "they vote for no letter, and count as edits in distances",
      );
    }
    return groups;
  } finally {
    progress.stop();
    await input.close();
  }
}
