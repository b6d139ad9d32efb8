/**
 * @file Pieces of text to bytes: the writing half of text.ts.
 */

const ENCODER = new TextEncoder();

/** Gathers pieces of text into UTF-8 chunks of about 64 kB. */
export function* encodeText(pieces: Iterable<string>): Generator<Uint8Array<ArrayBuffer>, void, undefined> {
  let text = "";
  for (const piece of pieces) {
    text += piece;
    if (text.length >= 1 << 16) {
      yield ENCODER.encode(text);
      text = "";
    }
  }
  if (text !== "") yield ENCODER.encode(text);
}
