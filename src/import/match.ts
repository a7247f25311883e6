/** Which of our models a file's tensors are: names and shapes alone, and everything that is wrong with them at once. */
import { DECODERS, type Decoder, type DecoderConfig, type DecoderModel } from '../decoders/index.ts';
import { ENCODERS, type Encoder, type EncoderConfig } from '../encoders/index.ts';
import { NinaError } from '../errors.ts';
import type { ForeignTensors, ImportOptions, Match, Problems, Reference } from '../reference.ts';
import type { NDArray, Tree } from '../tensor/index.ts';
import { some } from './state.ts';
import type { Weights } from './weights.ts';

export interface Matched {
  readonly encoder: Match<EncoderConfig, Tree<NDArray>>;
  /** Of a whole policy. */
  readonly decoder?: Match<DecoderConfig, DecoderModel>;
}

/** Of policies that were saved as a member of another module. */
const WRAPPED = /^agent\./;

/**
 * @param file how messages name it
 * @throws NinaError naming every tensor that is missing, unknown or of another shape; UsageError for an option that is needed.
 */
export function matchWeights({ tensors, others, settings }: Weights, options: ImportOptions, file: string): Matched {
  const named = new Map([...tensors].map(([name, tensor]) => [name.replace(WRAPPED, ''), tensor]));
  const twice = named.size < tensors.size ? [...tensors.keys()].filter((name) => tensors.has(`agent.${name}`)) : [];
  const encoder = ownerOf<Encoder>(ENCODERS, named);
  if (!encoder)
    throw new NinaError(
      `${file} holds no encoder that is known: none of its names is one of Florence-2's, as Microsoft, transformers, FLOWER or NinA write them. It holds ${some([...tensors.keys()])}.`,
    );
  const known = { settings, options };
  const encoded: Matched['encoder'] = encoder.reference.match(ownedBy(encoder.reference, named), known, 0);
  const decoders = DECODERS.filter((one) => one.reference && ownedBy(one.reference, named).size > 0);
  if (decoders.length > 1)
    throw new NinaError(
      `${file} holds the decoders ${decoders.map(({ name }) => name).join(' and ')}; a policy has one. Save the weights of one alone.`,
    );
  const decoder = ownerOf<Decoder>(decoders, named);
  const { width } = encoder.member.tokens(encoded.config);
  const decoded: Matched['decoder'] = decoder?.reference.match(ownedBy(decoder.reference, named), known, width);
  const nobody = [...named.keys()].filter((name) => !encoder.reference.owns(name) && !decoder?.reference.owns(name));
  const unread = [...others].map(([name, what]) => `${name}, ${what}`);
  const parts: Problems[] = [encoded.problems, ...(decoded ? [decoded.problems] : [])];
  requireNone(file, {
    missing: parts.flatMap(({ missing }) => missing),
    unknown: [...parts.flatMap(({ unknown }) => unknown), ...nobody, ...unread],
    different: [
      ...parts.flatMap(({ different }) => different),
      ...twice.map((name) => `${name} is also agent.${name}`),
    ],
  });
  return { encoder: encoded, ...(decoded && { decoder: decoded }) };
}

/** The member whose tensors are there. */
function ownerOf<M extends { readonly reference?: Reference<unknown, unknown> }>(
  members: readonly M[],
  tensors: ForeignTensors,
) {
  for (const member of members) {
    const { reference } = member;
    if (reference && ownedBy(reference, tensors).size > 0)
      return { member, reference: reference as NonNullable<M['reference']> };
  }
  return undefined;
}

const ownedBy = ({ owns }: Pick<Reference<unknown, unknown>, 'owns'>, tensors: ForeignTensors): ForeignTensors =>
  new Map([...tensors].filter(([name]) => owns(name)));

function requireNone(file: string, { missing, unknown, different }: Problems): void {
  const group = (title: string, items: readonly string[]) =>
    items.length === 0 ? [] : [`  ${items.length} ${title}:`, ...items.map((item) => `    ${item}`)];
  const lines = [
    ...group('missing', missing),
    ...group('unknown', unknown),
    ...group('of another shape or type', different),
  ];
  if (lines.length > 0)
    throw new NinaError([`${file} is not the model that its sizes tell of. Nothing was written.`, ...lines].join('\n'));
}
