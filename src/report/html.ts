/** The shell of every report: one self-contained page, no script, no external resource. */
import { escapeHtml } from './plot.ts';
import { STYLE } from './style.ts';

/** @param sections HTML; empty ones are left out */
export function htmlPage(title: string, sections: readonly string[]): string {
  return [
    '<!doctype html>',
    '<html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style></head><body>`,
    `<main><h1>${escapeHtml(title)}</h1>`,
    ...sections.filter((section) => section !== ''),
    '</main></body></html>\n',
  ].join('\n');
}

/** Names and values as a definition list. */
export function factSection(title: string, facts: readonly (readonly [name: string, value: string])[]): string {
  const rows = facts.map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`);
  return `<h2>${escapeHtml(title)}</h2><dl>${rows.join('')}</dl>`;
}
