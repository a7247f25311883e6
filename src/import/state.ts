/**
 * Which tensors of a torch checkpoint are the model: a state dict by itself, or Lightning's `state_dict`, or the moving
 * average that Lightning's EMA callback keeps beside it.
 */
import { NinaError } from '../errors.ts';
import { type PickleValue, TensorView } from './pickle-machine.ts';

/** The tensors by name, and what is said beside them. */
export function stateOf(root: PickleValue, file: string) {
  if (!(root instanceof Map))
    throw new NinaError(
      `${file} holds no dictionary of tensors. Save a state dict: torch.save(model.state_dict(), FILE).`,
    );
  const lightning = root.get('state_dict');
  const state = lightning instanceof Map ? lightning : root;
  const named = [...state].filter((entry): entry is [string, PickleValue] => typeof entry[0] === 'string');
  if (!named.some(([, value]) => value instanceof TensorView))
    throw new NinaError(
      `${file} holds no tensors by name: its keys are ${some([...root.keys()].map(String))}. Wanted a state dict, or a Lightning checkpoint with 'state_dict'.`,
    );
  const settings = new Map<string, string | number | boolean>();
  const hyper = root.get('hyper_parameters');
  if (lightning instanceof Map && hyper instanceof Map)
    for (const [name, value] of hyper)
      if (
        typeof name === 'string' &&
        (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      )
        settings.set(name, value);
  return { ...averaged(root, named, file), settings };
}

/**
 * With `callbacks.EMA.ema_weights`, the moving average of the weights in the order of the state dict, that is the policy:
 * validation and rollouts used it.
 */
function averaged(root: Map<PickleValue, PickleValue>, named: [string, PickleValue][], file: string) {
  const callbacks = root.get('callbacks');
  const ema = callbacks instanceof Map ? callbacks.get('EMA') : undefined;
  const weights = ema instanceof Map ? ema.get('ema_weights') : undefined;
  if (!Array.isArray(weights) || weights.length === 0)
    return {
      state: new Map(named),
      notes: callbacks instanceof Map ? ['no EMA: the weights are those of state_dict'] : [],
    };
  const wrong = (what: string) =>
    new NinaError(
      `${file}: callbacks.EMA.ema_weights is not in the order of state_dict: ${what}. The file is damaged.`,
    );
  if (weights.length !== named.length) throw wrong(`it has ${weights.length} tensors, and there are ${named.length}`);
  const state = new Map(
    named.map(([name, plain], i) => {
      const value = weights[i];
      if (plain instanceof TensorView && !(value instanceof TensorView && `${value.shape}` === `${plain.shape}`))
        throw wrong(`tensor ${i}, of ${name}, should have the shape [${plain.shape}]`);
      return [name, value];
    }),
  );
  return { state, notes: ['the weights are callbacks.EMA.ema_weights, the moving average that rollouts used'] };
}

const SHOWN = 12;
/** The first of many names. */
export const some = (names: readonly string[]) =>
  names.length === 0 ? 'nothing' : names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ', ...' : '');
