/** The package's own version, recorded in everything it writes. */
import * as fs from 'node:fs';

// src/ and dist/ lie side by side below the package's root.
const manifest: { version: string } = JSON.parse(fs.readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export const packageVersion = manifest.version;
