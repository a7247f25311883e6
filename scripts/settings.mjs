// Writes docs/settings.md from the schemas of the settings. Run `npm run build`, then `node scripts/settings.mjs`.
import * as fs from 'node:fs';
import * as path from 'node:path';
import { settingsPage } from '../dist/train/index.js';

fs.writeFileSync(path.join(import.meta.dirname, '../docs/settings.md'), settingsPage());
