/**
 * @file NumPy's `.npy`: one array, a readable header and the raw values.
 *
 * Grammar (numpy.lib.format): `\x93NUMPY`, major and minor version, the header's length (uint16 in version 1,
 * uint32 in version 2, little-endian), then a Python dictionary such as
 * `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }` padded with spaces and ended by a newline so
 * that the values start at a multiple of 64 bytes.
 *
 * We write version 1 (our headers are far below its 65,535 bytes), little-endian, C order, and give the header
 * and the values as chunks: values are views of the array that was handed in, never a copy. A square distance
 * matrix is expanded from its condensed form block by block. Read are versions 1 and 2, the six number types
 * below, C order, any number of axes; every other array is refused with the NumPy call that converts it.
 * Values are laid over typed arrays, so the machine must be little-endian, as every machine that runs Node or
 * a browser with WebAssembly is in practice.
 */
import { FormatError, type Location } from "../error.ts";
import {
  brokenDistance,
  condense,
  condensedLength,
  condensedSide,
  findAsymmetry,
  squareBlocks,
  type NumberArray,
} from "./condensed.ts";

/** Number types of `.npy` files that we read and write: kind and bytes, as NumPy names them. */
export type NpyType = "u1" | "u2" | "u4" | "i4" | "f4" | "f8";

/** An array with its shape; a condensed matrix is one-dimensional. */
export interface NpyArray<Values extends NumberArray = NumberArray> {
  shape: number[];
  data: Values;
}

/** What a header says. */
export interface NpyHeader {
  type: NpyType;
  shape: number[];
  /** Bytes from the start of the file to the first value. */
  dataOffset: number;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
const ALIGNMENT = 64;

const ARRAYS = {
  u1: Uint8Array,
  u2: Uint16Array,
  u4: Uint32Array,
  i4: Int32Array,
  f4: Float32Array,
  f8: Float64Array,
} as const;

/** Bytes of one value. */
export function npyTypeBytes(type: NpyType): number {
  return ARRAYS[type].BYTES_PER_ELEMENT;
}

/** The `.npy` type of a typed array. */
export function npyType(data: NumberArray): NpyType {
  for (const type of Object.keys(ARRAYS) as NpyType[]) if (data instanceof ARRAYS[type]) return type;
  throw new TypeError(`npy: unknown typed array: ${Object.prototype.toString.call(data)}`);
}

export interface NpyHeaderOptions {
  /** Pad to at least this many bytes, so that a longer shape fits when the header is rewritten; default 0. */
  minimumBytes?: number;
}

/** The bytes before the values: magic, version 1.0, dictionary, padding to a multiple of 64. */
export function npyHeader(
  type: NpyType,
  shape: readonly number[],
  { minimumBytes = 0 }: NpyHeaderOptions = {},
): Uint8Array<ArrayBuffer> {
  const order = type === "u1" ? "|" : "<";
  // Python writes a one-element tuple with a trailing comma.
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dictionary = `{'descr': '${order}${type}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const unpadded = MAGIC.length + 4 + dictionary.length + 1;
  const length = Math.ceil(Math.max(unpadded, minimumBytes) / ALIGNMENT) * ALIGNMENT;
  const bytes = new Uint8Array(length).fill(0x20);
  bytes.set(MAGIC);
  bytes[6] = 1;
  bytes[7] = 0;
  new DataView(bytes.buffer).setUint16(8, length - 10, true);
  for (let i = 0; i < dictionary.length; i++) bytes[10 + i] = dictionary.charCodeAt(i);
  bytes[length - 1] = 0x0a;
  return bytes;
}

/** The bytes under a typed array, not copied. */
export function bytesOf(data: NumberArray): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The file of an array, as a header and views of its values; `shape` defaults to one axis. */
export function* encodeNpy(
  data: NumberArray,
  shape: readonly number[] = [data.length],
): Generator<Uint8Array> {
  const size = shape.reduce((product, axis) => product * axis, 1);
  if (size !== data.length)
    throw new RangeError(`npy: shape (${shape.join(", ")}) holds ${size} values, got ${data.length}`);
  yield npyHeader(npyType(data), shape);
  const bytes = bytesOf(data);
  const step = 1 << 20;
  for (let at = 0; at < bytes.length; at += step) yield bytes.subarray(at, at + step);
}

/** The file of the square matrix [n, n] of condensed distances; memory stays at one block of rows. */
export function* encodeNpySquare(condensed: NumberArray): Generator<Uint8Array> {
  const n = condensedSide(condensed.length);
  yield npyHeader(npyType(condensed), [n, n]);
  for (const { values } of squareBlocks(condensed)) yield bytesOf(values);
}

/**
 * Reads the header from the first bytes of a file.
 * @returns the header, or the number of bytes it needs when `bytes` is too short to hold it.
 * @throws {FormatError} when this is no `.npy` file, or one that we do not read.
 */
export function decodeNpyHeader(bytes: Uint8Array, location: Location = {}): NpyHeader | number {
  const fail = (message: string): never => {
    throw new FormatError(message, location);
  };
  if (MAGIC.some((byte, i) => i < bytes.length && bytes[i] !== byte)) {
    fail("not a .npy file: it must start with \\x93NUMPY");
  }
  if (bytes.length < 12) return 12;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6];
  if ((version !== 1 && version !== 2) || bytes[7] !== 0) {
    fail(`.npy version: must be 1.0 or 2.0, got ${version}.${bytes[7]}`);
  }
  const start = version === 1 ? 10 : 12;
  const dataOffset = start + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (dataOffset > 1 << 16) fail(`.npy header: must be shorter than 65,536 bytes, got ${dataOffset}`);
  if (bytes.length < dataOffset) return dataOffset;
  const text = new TextDecoder("latin1").decode(bytes.subarray(start, dataOffset)).trim();
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(text)?.[1];
  const fortran = /'fortran_order'\s*:\s*(True|False)/.exec(text)?.[1];
  const tuple = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(text)?.[1];
  if (descr === undefined || fortran === undefined || tuple === undefined) {
    return fail(
      `.npy header: must give descr, fortran_order and shape of a plain array, got ${text.slice(0, 80)}`,
    );
  }
  const type = descr.slice(1);
  if (!/^[<|=]/.test(descr) || !Object.hasOwn(ARRAYS, type)) {
    fail(
      `.npy type: must be little-endian ${Object.keys(ARRAYS).join(", ")}, got ${descr}; ` +
        `save it with array.astype(${/[iub]/.test(type[0] ?? "") ? "numpy.int32" : "numpy.float32"})`,
    );
  }
  const shape = tuple
    .split(",")
    .filter((axis) => axis.trim() !== "")
    .map(Number);
  if (fortran === "True" && shape.filter((axis) => axis > 1).length > 1) {
    fail(".npy order: must be C order, got Fortran order; save it with numpy.ascontiguousarray(array)");
  }
  return { type: type as NpyType, shape, dataOffset };
}

/**
 * Reads a whole file that is in memory; the values are a view of `bytes` where alignment allows.
 * @throws {FormatError} on anything but an array of one of our types with exactly the values it announces.
 */
export function decodeNpy(bytes: Uint8Array, location: Location = {}): NpyArray {
  const header = decodeNpyHeader(bytes, location);
  if (typeof header === "number") {
    throw new FormatError(`truncated .npy: the header needs ${header} bytes, got ${bytes.length}`, location);
  }
  const { type, shape, dataOffset } = header;
  const size = shape.reduce((product, axis) => product * axis, 1);
  const needed = size * npyTypeBytes(type);
  const found = bytes.length - dataOffset;
  if (found !== needed) {
    throw new FormatError(
      `${found < needed ? "truncated .npy" : ".npy with trailing bytes"}: ` +
        `shape (${shape.join(", ")}) of ${type} takes ${needed} bytes, got ${found}`,
      location,
    );
  }
  return { shape, data: npyValues(type, bytes.subarray(dataOffset)) };
}

/** Lays a typed array of `type` over `bytes`, copying them only when they are not aligned. */
export function npyValues(type: NpyType, bytes: Uint8Array): NumberArray {
  const size = npyTypeBytes(type);
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  return new (ARRAYS[type] as Float32ArrayConstructor)(buffer, byteOffset, byteLength / size);
}

/**
 * The condensed distances in an array: one axis of n(n−1)/2 values, or a square matrix [n, n].
 * @throws {FormatError} on other shapes, and where the values are no distances.
 */
export function npyDistances({ shape, data }: NpyArray, location: Location = {}): NumberArray {
  if (shape.length === 2 && shape[0] === shape[1]) {
    const broken = findAsymmetry(data, shape[0]);
    if (broken === undefined) return condense(data, shape[0]);
    throw new FormatError(`[${broken.row}, ${broken.column}]: ${broken.rule}, got ${broken.got}`, location);
  }
  if (shape.length !== 1) {
    throw new FormatError(
      `distance matrix: the shape must be (n, n) or (n(n-1)/2,), got (${shape.join(", ")})`,
      location,
    );
  }
  const n = Math.round((1 + Math.sqrt(1 + 8 * data.length)) / 2);
  if (condensedLength(n) !== data.length) {
    throw new FormatError(
      `condensed distance matrix: must hold n(n-1)/2 values for a whole n, got ${data.length}`,
      location,
    );
  }
  for (let k = 0; k < data.length; k++) {
    const rule = brokenDistance(data[k]);
    if (rule !== undefined) throw new FormatError(`[${k}]: ${rule}, got ${data[k]}`, location);
  }
  return data;
}
