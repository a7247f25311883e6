/**
 * The one place that draws charts: a Vega-Lite specification becomes an SVG, without a browser, a canvas or fonts.
 * The same specification always gives the same bytes.
 */
import * as vega from 'vega';
import { type Config, compile, type TopLevelSpec } from 'vega-lite';

export type ChartSpec = TopLevelSpec;

/** Looks shared by all charts: quiet axes, two-plus colours that the colour-blind can tell apart. */
const CONFIG: Config = {
  background: 'white',
  font: 'system-ui, sans-serif',
  view: { stroke: 'transparent' },
  axis: { gridColor: '#e4e6ea', domainColor: '#98a2b3', tickColor: '#98a2b3', labelColor: '#475467' },
  legend: { labelLimit: 0 },
  title: { anchor: 'start', fontSize: 13 },
  range: {
    category: ['#1f6feb', '#d9730d', '#1a7f46', '#8250df', '#667085', '#c0362c', '#0e8a96', '#a67c00', '#d63384'],
  },
};

let last: Promise<unknown> = Promise.resolve();

/** @throws Error when the specification is not valid Vega-Lite: a defect of the caller. */
export function renderSvg(spec: ChartSpec): Promise<string> {
  // One after another: gradients and clip paths are numbered by a counter of the module.
  const svg = last.then(() => draw(spec));
  last = svg.catch(() => {}); // told to whom asked for it
  return svg;
}

async function draw(spec: ChartSpec): Promise<string> {
  vega.resetSVGDefIds();
  const { spec: compiled } = compile(spec, { config: CONFIG });
  const view = new vega.View(vega.parse(compiled), { renderer: 'none', logLevel: vega.Error });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}
