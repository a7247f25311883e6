/**
 * From a task's problem to the scene it is played in: which bodies there are, which boxes its regions are, and the MJCF.
 * Names in the model are the task's names; a part of a fixture is `<fixture>_<part>`, in body and joint alike.
 */
import { NinaError } from '../errors.ts';
import { ARM_DEFAULTS, armActuators, armBody } from './arm.ts';
import type { Problem, Region } from './bddl/index.ts';
import { FIXTURES, type FixtureKind, type FixtureRegion, type PartKind } from './fixtures.ts';
import { geomElements } from './mjcf.ts';
import { OBJECTS, type ObjectKind } from './objects.ts';
import { TIMESTEP_S } from './timing.ts';
import type { Vec3 } from './types.ts';

/** The category of the one fixture that is the world itself; its frame is the world's, its top at z = 0. */
const TABLE_CATEGORY = 'table';
const TABLE_HALF_M: Vec3 = [0.45, 0.6, 0.02];

export interface SceneObject {
  name: string;
  category: string;
  kind: ObjectKind;
}

export interface SceneFixture {
  name: string;
  category: string;
  kind: FixtureKind;
}

export interface ScenePart {
  name: string;
  category: string;
  fixture: string;
  kind: PartKind;
}

export type RegionBox = Pick<FixtureRegion, 'centre' | 'half' | 'aim'>;

/** A box (or several) fixed to a body; its bottom carries what lies in it. */
export interface SceneRegion {
  name: string;
  body: string;
  boxes: readonly RegionBox[];
  /** Yaw of things put there at the start, rad. */
  yawRange: readonly [number, number];
}

export interface Scene {
  xml: string;
  table: string;
  objects: readonly SceneObject[];
  /** Without the table. */
  fixtures: readonly SceneFixture[];
  parts: readonly ScenePart[];
  regions: ReadonlyMap<string, SceneRegion>;
}

/** Height of the boxes that stand for regions of the table: an object in one has its origin below this, metres. */
const TABLE_REGION_HEIGHT_M = 0.1;

/** Metres or radians. */
const FARTHEST = 100;

/** @throws NinaError for a category or a region that no scene can hold. */
export function buildScene(problem: Problem): Scene {
  const table = problem.fixtures.find(({ category }) => category === TABLE_CATEGORY);
  if (!table)
    throw new NinaError(`Task '${problem.name}' declares no fixture of category '${TABLE_CATEGORY}'; add one.`);
  const objects = problem.objects.map((o) => ({ ...o, kind: lookup(OBJECTS, o.category, 'object', problem) }));
  const fixtures = problem.fixtures
    .filter((f) => f !== table)
    .map((f) => ({ ...f, kind: lookup(FIXTURES, f.category, 'fixture', problem) }));
  const parts = fixtures.flatMap((fixture) =>
    Object.entries(fixture.kind.parts).map(([part, kind]) => ({
      name: `${fixture.name}_${part}`,
      category: `${fixture.category}_${kind.word}`,
      fixture: fixture.name,
      kind,
    })),
  );
  const regions = new Map(
    problem.regions.map((region) => {
      const resolved = resolveRegion(region, table.name, fixtures, problem);
      return [resolved.name, resolved] as const;
    }),
  );
  const scene = { table: table.name, objects, fixtures, parts, regions };
  return { ...scene, xml: sceneXml(scene) };
}

function lookup<T>(kinds: Readonly<Record<string, T>>, category: string, what: string, problem: Problem): T {
  if (Object.hasOwn(kinds, category)) return kinds[category]!;
  throw new NinaError(
    `Task '${problem.name}' uses the ${what} category '${category}'; the categories are ${Object.keys(kinds).join(', ')}.`,
  );
}

function resolveRegion(
  region: Region,
  table: string,
  fixtures: readonly SceneFixture[],
  problem: Problem,
): SceneRegion {
  const name = `${region.target}_${region.name}`;
  const yawRange = region.yawRotation ?? [0, 0];
  // Beyond this the engine's numbers lose their digits, or overflow.
  const far = [...yawRange, ...region.ranges.flat()].find((x) => Math.abs(x) > FARTHEST);
  if (far !== undefined)
    throw new NinaError(
      `Task '${problem.name}': ${far} of region '${name}' is no length or angle of a table: wanted at most ${FARTHEST}.`,
    );
  if (region.target === table) {
    const halfHeight = TABLE_REGION_HEIGHT_M / 2;
    const boxes = region.ranges.map(([x0, y0, x1, y1]) => ({
      centre: [(x0 + x1) / 2, (y0 + y1) / 2, halfHeight] as const,
      half: [Math.abs(x1 - x0) / 2, Math.abs(y1 - y0) / 2, halfHeight] as const,
    }));
    if (boxes.length === 0)
      throw new NinaError(`Task '${problem.name}': region '${name}' of the table has no (:ranges ...); add them.`);
    return { name, body: table, boxes, yawRange };
  }
  const fixture = fixtures.find((f) => f.name === region.target);
  const regions = fixture?.kind.regions ?? {};
  const own = Object.hasOwn(regions, region.name) ? regions[region.name] : undefined;
  if (!fixture || !own)
    throw new NinaError(
      `Task '${problem.name}': '${region.target}' has no region '${region.name}'; ` +
        `it has ${Object.keys(fixture?.kind.regions ?? {}).join(', ') || 'none'}.`,
    );
  const body = own.part ? `${fixture.name}_${own.part}` : fixture.name;
  return { name, body, boxes: [own], yawRange };
}

function sceneXml(scene: Omit<Scene, 'xml'>): string {
  return `<mujoco model="nina_tabletop">
<compiler angle="radian" autolimits="true"/>
<option timestep="${TIMESTEP_S}" integrator="implicitfast" cone="elliptic" impratio="10"/>
<size memory="8M"/>
<default><geom friction="1 0.005 0.0001" solref="0.01 1"/>${ARM_DEFAULTS}</default>
<worldbody>
<geom name="floor" type="plane" size="3 3 0.1" pos="0 0 -0.8" rgba="0.72 0.72 0.75 1"/>
<camera name="agentview" pos="0.8 0 0.78" xyaxes="0 1 0 -0.6306 0 0.7761" fovy="40"/>
${armBody()}
<body name="${scene.table}">
<geom name="table" type="box" size="${TABLE_HALF_M.join(' ')}" pos="0 0 ${-TABLE_HALF_M[2]}" rgba="0.82 0.75 0.63 1"/>
</body>
${scene.objects.map(objectBody).join('\n')}
${scene.fixtures.map(fixtureBody).join('\n')}
</worldbody>
<actuator>${armActuators()}</actuator>
</mujoco>
`;
}

/** Objects wait far below the floor until the placement puts them somewhere. */
function objectBody({ name, kind }: SceneObject): string {
  return `<body name="${name}" pos="0 0 -2"><freejoint name="${name}"/>${geomElements(name, kind.geoms)}</body>`;
}

function fixtureBody({ name, kind }: SceneFixture): string {
  const parts = Object.entries(kind.parts).map(([part, { kind: motion, at, travel, geoms }]) => {
    const own = `${name}_${part}`;
    const joint =
      motion === 'drawer'
        ? `type="slide" axis="0 1 0" damping="8" frictionloss="1"`
        : `type="hinge" axis="0 0 1" damping="0.02" frictionloss="0.02" armature="0.001"`;
    return `<body name="${own}" pos="${at.join(' ')}"><joint name="${own}" ${joint} range="0 ${travel}"/>${geomElements(own, geoms)}</body>`;
  });
  return `<body name="${name}" mocap="true">${geomElements(name, kind.geoms)}${parts.join('')}</body>`;
}
