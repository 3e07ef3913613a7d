/** The one door of @sidestream/console: what whoever serves the console has to know of it. The page itself is `src/page`. */
import { fileURLToPath } from 'node:url';

/** The folder of the built page: index.html and what it asks for, by relative URLs; there after `npm run build`. */
export const consoleFolder = fileURLToPath(new URL('./www/', import.meta.url));
