/**
 * @file A model with its decoder: sequences to points, and points to sequences.
 *
 * The decoder has a file of its own beside the model's, so that those who only measure distances need not carry it.
 */

import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { EmbranchError } from "../error.ts";
import { loadProgram, Model } from "./model-file.ts";
import { Tensor, type Program, type ProgramOptions } from "./run.ts";

/** The file beside a model's that reads its points as sequences. */
export function decoderPath(model: string): string {
  return `${model.replace(/\.onnx$/i, "")}.decoder.onnx`;
}

/** Points decoded at a time. */
const BLOCK = 256;

/** A trained model that can be read backwards. */
export class DecoderModel {
  /** What embeds. */
  readonly encoder: Model;
  readonly #program: Program;

  private constructor(encoder: Model, program: Program) {
    this.encoder = encoder;
    this.#program = program;
  }

  /**
   * Loads a model file and the decoder file beside it.
   *
   * @throws EmbranchError where one is missing or damaged, or the decoder is that of another run
   */
  static async load(path: string, options: ProgramOptions = {}): Promise<DecoderModel> {
    const encoder = await Model.load(path, options);
    try {
      const file = decoderPath(path);
      if (!existsSync(file)) {
        throw new EmbranchError(`${file}: the model has no decoder; fit it with --decoder`);
      }
      const { manifest, program } = await loadProgram(file, options);
      if (!isDeepStrictEqual(manifest, encoder.manifest)) {
        await program.close();
        throw new EmbranchError(
          `${file}: must be of the run that made ${path}, got that of another; fit the model again with --decoder`,
        );
      }
      return new DecoderModel(encoder, program);
    } catch (error) {
      await encoder.close();
      throw error;
    }
  }

  /** Scores [count, n, letters + 1] of points [count, dim]: the last is that of there being no letter. */
  async scores(points: Float32Array): Promise<Float32Array> {
    const { dim } = this.encoder.manifest;
    const outputs = await this.#program.run({
      points: new Tensor("float32", points, [points.length / dim, dim]),
    });
    return outputs.scores.data as Float32Array;
  }

  /** The sequences of codes that points [count, dim] are read as. */
  async decode(points: Float32Array): Promise<Uint8Array[]> {
    const { dim, length } = this.encoder.manifest;
    const classes = this.encoder.alphabet.size + 1;
    const sequences: Uint8Array[] = [];
    for (let start = 0; start < points.length; start += BLOCK * dim) {
      const scores = await this.scores(points.subarray(start, start + BLOCK * dim));
      for (let at = 0; at < scores.length; at += length * classes) {
        sequences.push(likeliestSequence(scores.subarray(at, at + length * classes), classes));
      }
    }
    return sequences;
  }

  async close(): Promise<void> {
    await this.#program.close();
    await this.encoder.close();
  }
}

/**
 * The likeliest of all sequences that end and then stay ended, by scores [n, classes] whose last class is that of no
 * letter: the best letter of each position up to the end, which maximises the product of the probabilities. Where
 * scores are in no doubt this is the best class of each position, without what trails.
 */
export function likeliestSequence(scores: Float32Array, classes: number): Uint8Array {
  const length = scores.length / classes;
  const letters = new Uint8Array(length);
  let [end, best, gain] = [0, 0, 0];
  for (let i = 0; i < length; i++) {
    const at = i * classes;
    let letter = 0;
    for (let c = 1; c < classes - 1; c++) if (scores[at + c] > scores[at + letter]) letter = c;
    letters[i] = letter;
    // What a letter is likelier than none, in logarithms; what all classes share cancels.
    gain += scores[at + letter] - scores[at + classes - 1];
    if (gain > best) [end, best] = [i + 1, gain];
  }
  return letters.slice(0, end);
}
