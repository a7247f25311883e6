/**
 * The few protobuf wire types that an ONNX model needs, written into one growing buffer.
 * Field numbers are those of onnx.proto3 (IR version 9): see model.ts.
 */
export class ProtoWriter {
  private bytes = new Uint8Array(1 << 12);
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

  raw(field: number, data: Uint8Array): void {
    this.varint((field << 3) | 2);
    this.varint(data.length);
    this.reserve(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }

  text(field: number, value: string): void {
    this.raw(field, new TextEncoder().encode(value));
  }

  message(field: number, fill: (inner: ProtoWriter) => void): void {
    const inner = new ProtoWriter();
    fill(inner);
    this.raw(field, inner.finish());
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}
