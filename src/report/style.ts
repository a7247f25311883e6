/** The report's style sheet: light and dark, two series colours that the colour-blind can tell apart. */
export const STYLE = `
:root { --ink: #1b2330; --dim: #667085; --paper: #fbfbfa; --panel: #ffffff; --rule: #e4e6ea;
  --a: #1f6feb; --b: #d9730d; --sample: #9db7de; --good: #1a7f46; --bad: #c0362c; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --dim: #98a2b3; --paper: #12161d; --panel: #1a2029;
  --rule: #2c3440; --a: #6ea8fe; --b: #f0a35e; --sample: #45618c; --good: #5cc98b; --bad: #f0857c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 26px; margin: 0 0 20px; }
h2 { font-size: 18px; margin: 40px 0 12px; }
h3 { font-size: 14px; font-weight: 600; margin: 18px 0 6px; }
.cards { display: flex; flex-wrap: wrap; gap: 14px; }
.card { background: var(--panel); border: 1px solid var(--rule); border-radius: 10px; padding: 14px 20px; flex: 1 1 220px; }
.card b { display: block; font-size: 26px; font-variant-numeric: tabular-nums; }
.card span, .dim, figcaption, .key { color: var(--dim); }
table { border-collapse: collapse; width: 100%; background: var(--panel); border: 1px solid var(--rule); }
th, td { padding: 7px 12px; text-align: left; border-bottom: 1px solid var(--rule); }
th { font-size: 12px; color: var(--dim); font-weight: 600; }
.num { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.total td { font-weight: 600; border-top: 2px solid var(--rule); }
.bar { display: block; } .track { fill: var(--rule); } .fill { fill: var(--a); opacity: .55; }
.whisker { stroke: var(--ink); stroke-width: 1.5; }
.videos, .plots { display: flex; flex-wrap: wrap; gap: 16px; }
figure { margin: 0; width: 192px; }
figure img { display: block; border-radius: 8px; border: 1px solid var(--rule); image-rendering: auto; }
figcaption { font-size: 13px; margin-top: 6px; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.plots { gap: 10px; } .plots svg { background: var(--panel); border: 1px solid var(--rule); border-radius: 8px; }
.key { font-size: 13px; margin: 4px 0 8px; }
.key i { display: inline-block; width: 18px; height: 3px; vertical-align: middle; border-radius: 2px; }
.key .a { background: var(--a); } .key .b { background: var(--b); } .key .sample { background: var(--sample); }
svg .title { font: 600 12px system-ui, sans-serif; fill: var(--ink); }
svg .tick { font: 10px system-ui, sans-serif; fill: var(--dim); }
svg .grid { stroke: var(--rule); }
svg polyline { fill: none; stroke-linejoin: round; stroke-width: 1.8; }
svg polyline.a { stroke: var(--a); } svg polyline.b { stroke: var(--b); }
svg polyline.sample { stroke: var(--sample); stroke-width: 1; }
svg .dot.a { fill: var(--a); } svg .dot.b { fill: var(--b); }
figure.chart { width: auto; margin: 12px 0; } figure.chart svg { max-width: 100%; height: auto; border: 1px solid var(--rule); border-radius: 8px; padding: 10px; background: white; }
.wide { overflow-x: auto; } .wide td:first-child { white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
`;
