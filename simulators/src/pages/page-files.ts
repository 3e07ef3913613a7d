/** Files of the simulators' pages: HTML and CSS as they lie in pages/, scripts as compiled from there. */
import { readFile } from 'node:fs/promises';
import { type PageHandler, plain } from './page-server.js';

const sources = new URL('../../pages/', import.meta.url);
const scripts = new URL('../pages/', import.meta.url);

const types: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Serves one file by its name; a script of another package by its URL. */
export function file(name: string, directory?: URL): PageHandler {
  const extension = name.slice(name.lastIndexOf('.') + 1);
  const url = new URL(name, directory ?? (extension === 'js' ? scripts : sources));
  return async () => ({ type: types[extension] ?? 'application/octet-stream', body: await readFile(url) });
}

/** Serves the scripts of a directory that are named behind the route's `*`. */
export function scriptsOf(directory: URL): PageHandler {
  return ({ pathname }) => {
    const name = /\/([\w-]+\.js)$/.exec(pathname)?.[1];
    return name === undefined ? plain(404, 'no such script') : file(name, directory)(new URL(directory), '');
  };
}
