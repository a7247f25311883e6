/**
 * An ONNX graph under construction and its encoding (onnx.proto3). Of two kinds: for our own engine, whose newest
 * operators and extensions it may use, or for any runtime, which gets the standard operators of the lowest version.
 */

import { type DType, type Shape, size } from '../tensor.ts';
import { SHAREABLE } from './cse.ts';
import { irVersion, lowestOpset } from './opset.ts';
import { ProtoWriter } from './protobuf.ts';

/** Of ai.onnx, for our own engine. */
const ENGINE_OPSET = 20;
/** Rounded weights are of 8 bits; no tensor of the graph is. */
type StoredType = DType | 'int8';
export const ELEMENT_TYPE: Record<StoredType, number> = { float32: 1, int8: 3, int64: 7 };
/** Where a tensor's numbers are: not in the model. */
const EXTERNAL = 1;
const ATTRIBUTE_TYPE = { float: 1, int: 2, text: 3, ints: 7 };

/** An attribute: an integer, a list of integers, a word, or a float marked as such. */
export type OnnxAttribute = number | readonly number[] | string | { readonly float: number };

export interface OnnxNode {
  /** Where it must be told from others. */
  name?: string;
  op: string;
  inputs: string[];
  outputs: string[];
  attributes: Record<string, OnnxAttribute>;
  domain: '' | 'com.microsoft';
}

interface Value {
  name: string;
  shape: Shape;
  dtype: StoredType;
}

interface ExternalValue extends Value {
  /** A file's name, or that under which bytes are given with the model. */
  readonly location: string;
  /** Which bytes of it; all unless given. */
  readonly range?: { readonly offset: number; readonly length: number };
}

export class OnnxGraph {
  readonly nodes: OnnxNode[] = [];
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  /** Weights whose bytes are elsewhere. */
  readonly external: ExternalValue[] = [];
  /** The model's metadata_props: whatever a reader of the file should know. */
  metadata: Readonly<Record<string, string>> = {};
  /** Whether only operators of ai.onnx may be used, in forms that `opset.ts` knows. */
  readonly standard: boolean;
  private readonly initializers = new Map<string, Value & { data: Uint8Array }>();
  private readonly known = new Map<string, string>();
  private readonly made = new Map<string, string>();
  private nextName = 0;

  constructor({ standard }: { standard: boolean }) {
    this.standard = standard;
  }

  /** The version of ai.onnx that the nodes so far are written in. */
  get opset(): number {
    return this.standard ? lowestOpset(this.nodes.map(({ op }) => op)) : ENGINE_OPSET;
  }

  fresh(): string {
    return `v${this.nextName++}`;
  }

  op(
    op: string,
    inputs: string[],
    attributes: Record<string, OnnxAttribute> = {},
    domain: OnnxNode['domain'] = '',
  ): string {
    const output = this.fresh();
    this.nodes.push({ op, inputs, outputs: [output], attributes, domain });
    return output;
  }

  /** The value of that name, made when it is first wanted: what several nodes can read is computed once. */
  once(what: string, make: () => string): string {
    const known = this.made.get(what) ?? make();
    this.made.set(what, known);
    return known;
  }

  floats(data: Float32Array, shape: Shape): string {
    return this.initializer({ shape, dtype: 'float32' }, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }

  ints(values: readonly number[]): string {
    const data = BigInt64Array.from(values, BigInt);
    return this.initializer({ shape: [values.length], dtype: 'int64' }, new Uint8Array(data.buffer));
  }

  /** Small constants are shared by content. */
  private initializer(value: Omit<Value, 'name'>, data: Uint8Array): string {
    const shareable = size(value.shape) <= SHAREABLE;
    const content = shareable ? `${value.dtype}${value.shape.join()}|${data.join()}` : '';
    const existing = shareable ? this.known.get(content) : undefined;
    if (existing) return existing;
    const name = this.fresh();
    this.initializers.set(name, { ...value, name, data });
    if (shareable) this.known.set(content, name);
    return name;
  }

  encode(): Uint8Array {
    const { opset, standard } = this;
    const model = new ProtoWriter();
    model.int(1, irVersion(opset));
    model.text(2, 'nina-vla');
    model.message(7, (graph) => {
      for (const n of this.nodes) graph.message(1, (w) => encodeNode(w, n));
      graph.text(2, 'graph');
      for (const value of this.initializers.values())
        graph.message(5, (w) => {
          encodeHead(w, value);
          w.raw(9, value.data);
        });
      for (const value of this.external)
        graph.message(5, (w) => {
          encodeHead(w, value);
          for (const [key, text] of Object.entries({ location: value.location, ...value.range }))
            w.message(13, (entry) => {
              entry.text(1, key);
              entry.text(2, `${text}`);
            });
          w.int(14, EXTERNAL);
        });
      for (const v of this.inputs) graph.message(11, (w) => encodeValue(w, v));
      for (const v of this.outputs) graph.message(12, (w) => encodeValue(w, v));
    });
    const domains: readonly (readonly [string, number])[] = [
      ['', opset],
      ...(standard ? [] : [['com.microsoft', 1] as const]),
    ];
    for (const [domain, version] of domains)
      model.message(8, (w) => {
        w.text(1, domain);
        w.int(2, version);
      });
    for (const [key, value] of Object.entries(this.metadata))
      model.message(14, (w) => {
        w.text(1, key);
        w.text(2, value);
      });
    return model.finish();
  }
}

/** Shape, type and name of a tensor with numbers. */
function encodeHead(w: ProtoWriter, { name, shape, dtype }: Value): void {
  for (const d of shape) w.int(1, d);
  w.int(2, ELEMENT_TYPE[dtype]);
  w.text(8, name);
}

function encodeNode(w: ProtoWriter, n: OnnxNode): void {
  for (const name of n.inputs) w.text(1, name);
  for (const name of n.outputs) w.text(2, name);
  w.text(4, n.op);
  for (const [name, value] of Object.entries(n.attributes))
    w.message(5, (a) => {
      a.text(1, name);
      if (typeof value === 'number') {
        a.int(3, value);
        a.int(20, ATTRIBUTE_TYPE.int);
      } else if (typeof value === 'string') {
        a.text(4, value);
        a.int(20, ATTRIBUTE_TYPE.text);
      } else if ('float' in value) {
        a.float(2, value.float);
        a.int(20, ATTRIBUTE_TYPE.float);
      } else {
        for (const v of value) a.int(8, v);
        a.int(20, ATTRIBUTE_TYPE.ints);
      }
    });
  if (n.name) w.text(3, n.name);
  if (n.domain) w.text(7, n.domain);
}

function encodeValue(w: ProtoWriter, v: Value): void {
  w.text(1, v.name);
  w.message(2, (type) =>
    type.message(1, (tensor) => {
      tensor.int(1, ELEMENT_TYPE[v.dtype]);
      tensor.message(2, (shape) => {
        for (const d of v.shape) shape.message(1, (dim) => dim.int(1, d));
      });
    }),
  );
}
