import { defineConfig } from 'vite';

/** The page is src/page; what is built lies in dist/www, beside what tsc compiles for the door and the tests. */
export default defineConfig({
  root: 'src/page',
  base: './',
  build: {
    outDir: '../../dist/www',
    emptyOutDir: true,
    // Everything is a file of its own: the page's CSP allows no data: URL.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
  },
});
