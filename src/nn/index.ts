/** Layers as pure functions of (parameters, x), their parameters as plain trees, their initial values as PyTorch's. */
export {
  type Attention,
  type AttentionOptions,
  attention,
  causalMask,
  initAttention,
  mergeHeads,
  paddingMask,
  selfAttention,
  splitHeads,
  splitQkv,
} from './attention.ts';
export { type Dropout, type DropoutOptions, dropoutInputs, type Mask, type Masks, noDropout } from './dropout.ts';
export { filled, uniform } from './init.ts';
export { initLinear, type Linear, linear } from './linear.ts';
export { type Hidden, hidden, initHidden, initMlp, type Mlp, mlp } from './mlp.ts';
export { initNorm, layerNorm, type Norm } from './norm.ts';
export { type RmsNorm, rmsNorm } from './rms-norm.ts';
export { rotary } from './rotary.ts';
export { type SwiGlu, swiglu, swigluHidden } from './swiglu.ts';
