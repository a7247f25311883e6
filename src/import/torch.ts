/**
 * What torch.save writes: a zip of stored entries, `<stem>/data.pkl` (the structure) and `<stem>/data/<key>` (one storage
 * each). Several tensors may share a storage, and each is a strided view of it.
 */
import { NinaError } from '../errors.ts';
import type { FloatType } from '../floats.ts';
import { product, readNumbers, type Source, type StoredDType, type UnreadTensor } from '../safetensors-format.ts';
import { readPickle } from './pickle.ts';
import { TensorView } from './pickle-machine.ts';
import { some, stateOf } from './state.ts';
import type { Weights } from './weights.ts';
import { checkEntry, readEntry, readZip, type ZipEntry } from './zip.ts';

/** Bytes of a structure: one of a thousand times as many tensors as a large model has. */
const LARGEST_PICKLE = 2 ** 28;

/** @throws NinaError for what is no whole archive of torch, or holds no state dict. */
export function torchWeights(source: Source, file: string): Weights {
  const entries = readZip(source, file);
  const pickles = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (pickles.length !== 1)
    throw new NinaError(
      `${file} is a zip file that torch.save did not write: it has ${pickles.length} entries <name>/data.pkl, wanted one. It holds ${some([...entries.keys()])}.`,
    );
  const [pickle] = pickles;
  const stem = pickle.slice(0, -'data.pkl'.length);
  const order = entries.get(`${stem}byteorder`);
  if (order && new TextDecoder().decode(readEntry(source, order, 'byteorder', file)) !== 'little')
    throw new NinaError(`${file} was written on a machine of the other byte order. Save it again on a common one.`);
  const entry = entries.get(pickle) as ZipEntry;
  if (entry.size > LARGEST_PICKLE)
    throw new NinaError(
      `${file}: ${pickle} has ${entry.size} bytes, and a checkpoint's has at most ${LARGEST_PICKLE}.`,
    );
  const root = readPickle(readEntry(source, entry, pickle, file), `${file}: ${pickle}`);
  const { state, settings, notes } = stateOf(root, file);
  const whole = new Set<string>();
  const tensors = new Map<string, UnreadTensor>();
  const others = new Map<string, string>();
  for (const [name, value] of state) {
    const dtype = value instanceof TensorView ? DTYPES[value.storage.type] : undefined;
    if (!(value instanceof TensorView) || !dtype)
      others.set(name, value instanceof TensorView ? `a tensor of torch.${value.storage.type}Storage` : 'no tensor');
    else tensors.set(name, unread(value, dtype, source, storageOf(value, name)));
  }
  return { tensors, others, settings, notes };

  /** The entry of a tensor's storage, checked when it is first read. */
  function storageOf({ storage }: TensorView, name: string): Stored {
    const key = `${stem}data/${storage.key}`;
    const found = entries.get(key);
    if (!found) throw new NinaError(`${file}: the numbers of ${name} are missing: there is no entry ${key}.`);
    return {
      entry: found,
      check() {
        if (!whole.has(key)) checkEntry(source, found, key, file);
        whole.add(key);
      },
      wrong: (what) => new NinaError(`${file}: ${name} ${what}: the file is damaged. Copy or download it again.`),
    };
  }
}

/** Of the storages whose numbers we have a use for. */
const DTYPES: Readonly<Record<string, StoredDType>> = {
  Double: 'F64',
  Float: 'F32',
  Half: 'F16',
  BFloat16: 'BF16',
  Long: 'I64',
} satisfies Record<string, FloatType | 'I64'>;
const BYTES: Readonly<Record<StoredDType, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8 };

interface Stored {
  readonly entry: ZipEntry;
  /** @throws NinaError when the bytes are not those that were written. */
  check(): void;
  wrong(what: string): NinaError;
}

/** A view of a storage, row-major when it is read. @throws NinaError for one that does not lie within its storage. */
function unread(view: TensorView, dtype: StoredDType, source: Source, { entry, check, wrong }: Stored): UnreadTensor {
  const { storage, offset, shape, strides } = view;
  const bytes = BYTES[dtype];
  if (entry.size !== storage.count * bytes)
    throw wrong(`has a storage of ${storage.count} numbers of ${bytes} bytes, and its entry has ${entry.size}`);
  const count = product(shape);
  // One past the last number.
  const end = count === 0 ? offset : offset + 1 + shape.reduce((sum, n, i) => sum + (n - 1) * strides[i], 0);
  if (!(end <= storage.count)) throw wrong(`reaches beyond its storage of ${storage.count} numbers`);
  return {
    dtype,
    shape,
    read() {
      check();
      const span = readNumbers(source, { dtype, count: end - offset }, entry.offset + offset * bytes);
      return isRowMajor(shape, strides) ? span : gathered(span, shape, strides);
    },
  };
}

function isRowMajor(shape: readonly number[], strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    if (shape[i] !== 1 && strides[i] !== step) return false;
    step *= shape[i];
  }
  return true;
}

/** The numbers of a strided view in row-major order. */
function gathered<A extends Float32Array | BigInt64Array>(
  span: A,
  shape: readonly number[],
  strides: readonly number[],
): A {
  const out = new (span.constructor as new (n: number) => A)(product(shape));
  const index = shape.map(() => 0);
  for (let i = 0, from = 0; i < out.length; i++) {
    out[i] = span[from];
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < shape[axis]) break;
      from -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return out;
}
