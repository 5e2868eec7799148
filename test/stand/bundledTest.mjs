// node test/stand/bundledTest.mjs test/unit/x.test.ts: runs the bundle that esbuild made of this test file.
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const source = process.argv[2] ?? '';
await import(pathToFileURL(path.resolve('out', source.replace(/\.ts$/, '.mjs'))).href);
