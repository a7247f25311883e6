import { describe, expect, it } from 'vitest';
import { Physics } from './mujoco.ts';

const XML = `<mujoco><size memory="1M"/><worldbody>
  <body name="ball" pos="0 0 1"><freejoint/><geom size="0.1"/></body>
  <camera name="eye" pos="0 0 2" fovy="50"/>
</worldbody></mujoco>`;

describe('state', () => {
  it('returns to where it was, to the bit', async () => {
    using physics = await Physics.open(XML);
    for (let i = 0; i < 10; i++) physics.advance();
    const before = physics.state();
    for (let i = 0; i < 10; i++) physics.advance();
    const after = physics.state();
    expect(after).not.toEqual(before);
    physics.restore(before);
    expect(physics.state()).toEqual(before);
    for (let i = 0; i < 10; i++) physics.advance();
    expect(physics.state()).toEqual(after);
  });

  it('leaves the engine able to compile the next scene', async () => {
    for (let i = 0; i < 3; i++) {
      using physics = await Physics.open(XML);
      expect(physics.state()).toHaveLength(physics.stateSize);
    }
  });
});
