/** Normalizing flows: bijections with their log-determinants, and the densities and samples derived from them. */
export { type Bijection, chain, flip, type Mapped } from './bijection.ts';
export { type Conditioner, coupling } from './coupling.ts';
export { decode, encode, logProb, sample, sampleAndLogProb, standardNormal } from './flow.ts';
export { invert, isPermutation, permutation } from './permutation.ts';
export { initPlu, type PluOrders, type PluParams, pluInverses, pluStack } from './plu.ts';
export { type Plu, realNvp, realNvpInverses } from './realnvp.ts';
