/** Layers as pure functions of (parameters, x). */
export { type Attention, initAttention, selfAttention } from './attention.ts';
export { DROPOUT_INPUT, type Dropout, maskedDropout, noDropout } from './dropout.ts';
export { initLinear, type Linear, linear, uniform } from './linear.ts';
export { initNorm, type Norm, norm } from './norm.ts';
