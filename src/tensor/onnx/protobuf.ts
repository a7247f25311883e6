/**
 * The few protobuf wire types that an ONNX model needs.
 * Field numbers are those of onnx.proto3 (IR version 9): see model.ts.
 *
 * Weights make up nearly all of a model and may fill gigabytes, so they are kept as they came and copied once, in
 * `finish`; what lies between them is written into small buffers.
 */

/** Bytes from which copying costs more than a chunk of its own. */
const LARGE = 1 << 14;

export class ProtoWriter {
  /** What is complete, in order. */
  private readonly chunks: Uint8Array[] = [];
  private chunkBytes = 0;
  /** What is being written, after the chunks. */
  private bytes = new Uint8Array(64);
  private length = 0;

  private reserve(n: number): void {
    if (this.length + n <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + n));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  private varint(value: number): void {
    this.reserve(10);
    let v = BigInt.asUintN(64, BigInt(value));
    while (v > 127n) {
      this.bytes[this.length++] = Number(v & 127n) | 128;
      v >>= 7n;
    }
    this.bytes[this.length++] = Number(v);
  }

  int(field: number, value: number): void {
    this.varint(field << 3);
    this.varint(value);
  }

  float(field: number, value: number): void {
    this.varint((field << 3) | 5);
    this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(this.length, value, true);
    this.length += 4;
  }

  /** The data must stay as it is until `finish`. */
  raw(field: number, data: Uint8Array): void {
    this.varint((field << 3) | 2);
    this.varint(data.length);
    this.append(data);
  }

  text(field: number, value: string): void {
    this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, fill: (inner: ProtoWriter) => void): void {
    const inner = new ProtoWriter();
    fill(inner);
    this.varint((field << 3) | 2);
    this.varint(inner.chunkBytes + inner.length);
    for (const chunk of inner.chunks) this.append(chunk);
    this.append(inner.bytes.subarray(0, inner.length));
  }

  /** Everything written so far. */
  finish(): Uint8Array {
    const all = new Uint8Array(this.chunkBytes + this.length);
    let at = 0;
    for (const chunk of [...this.chunks, this.bytes.subarray(0, this.length)]) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  private append(data: Uint8Array): void {
    if (data.length <= LARGE) {
      this.reserve(data.length);
      this.bytes.set(data, this.length);
      this.length += data.length;
      return;
    }
    this.chunks.push(this.bytes.subarray(0, this.length), data);
    this.chunkBytes += this.length + data.length;
    this.bytes = new Uint8Array(64);
    this.length = 0;
  }
}
