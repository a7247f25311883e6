/** Reads what an ONNX file says about itself: as much of onnx.proto3 as tests ask for. */

export interface OnnxFacts {
  readonly irVersion: number;
  /** Version of each operator set the file asks for, by domain ('' is ai.onnx). */
  readonly opsets: Readonly<Record<string, number>>;
  /** Every operator, as domain:name. */
  readonly operators: ReadonlySet<string>;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly metadata: Readonly<Record<string, string>>;
}

type Field = { readonly field: number; readonly number: number; readonly bytes: Uint8Array };

/** The fields of a protobuf message: varints as numbers, everything else as bytes. */
function* fields(message: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++];
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return Number(value);
    }
  };
  while (at < message.length) {
    const tag = varint();
    const wire = tag & 7;
    const number = wire === 0 ? varint() : 0;
    const length = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : 0;
    yield { field: tag >> 3, number, bytes: message.subarray(at, at + length) };
    at += length;
  }
}

const all = (message: Uint8Array, field: number): Uint8Array[] =>
  [...fields(message)].filter((f) => f.field === field).map((f) => f.bytes);
const text = (message: Uint8Array, field: number): string => new TextDecoder().decode(all(message, field)[0]);
const int = (message: Uint8Array, field: number): number =>
  [...fields(message)].find((f) => f.field === field)?.number ?? 0;

export function onnxFacts(model: Uint8Array): OnnxFacts {
  const graph = all(model, 7)[0];
  return {
    irVersion: int(model, 1),
    opsets: Object.fromEntries(all(model, 8).map((set) => [text(set, 1), int(set, 2)])),
    operators: new Set(all(graph, 1).map((node) => `${text(node, 7)}:${text(node, 4)}`)),
    inputs: all(graph, 11).map((value) => text(value, 1)),
    outputs: all(graph, 12).map((value) => text(value, 1)),
    metadata: Object.fromEntries(all(model, 14).map((entry) => [text(entry, 1), text(entry, 2)])),
  };
}
