/**
 * Robots that are commanded by absolute joint targets, as low-cost arms and their teleoperation record them: one arm of six
 * joints, and two arms of six joints and a gripper each (the 14 numbers of ALOHA, Zhao et al. 2023, arXiv 2304.13705).
 * A target that is kept is a robot that stays, so every dimension holds beyond an episode's end.
 */
import type { ActionDimension, Robot } from './robot.ts';

const JOINTS = ['waist', 'shoulder', 'elbow', 'forearm roll', 'wrist angle', 'wrist rotation'];

const joint = (name: string): ActionDimension => ({
  ...{ name, unit: 'rad', scale: 1, frame: 'absolute joint angle' },
  positive: "as the joint's axis turns, right-handed",
  ...{ low: -Math.PI, high: Math.PI, rest: 'hold' },
});

const gripper = (name: string): ActionDimension => ({
  ...{ name, unit: 'share of the full opening', scale: 1, frame: 'absolute', positive: 'open' },
  ...{ low: 0, high: 1, rest: 'hold' },
});

const controlled = (name: string, dimensions: readonly ActionDimension[]): Robot => ({
  name,
  action: { controlHz: 50, dimensions },
  // Such a robot reports its joints in the units of its commands.
  state: { names: dimensions.map((dimension) => dimension.name) },
});

/** Six absolute joint targets. */
export const SIX_JOINT_ARM = controlled('six-joint arm', JOINTS.map(joint));

/** Two arms, each of six absolute joint targets and a gripper: 14 numbers, the left arm first. */
export const BIMANUAL = controlled(
  'bimanual',
  ['left', 'right'].flatMap((side) => [...JOINTS.map((name) => joint(`${side} ${name}`)), gripper(`${side} gripper`)]),
);
