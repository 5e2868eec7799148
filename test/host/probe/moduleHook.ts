import Module from 'node:module';
import path from 'node:path';
import { recordingCopy, type Recorder } from './recorder.ts';

/** What reaches files, the network or other programs. */
const IO_MODULES = new Set([
  'child_process',
  'dgram',
  'dns',
  'dns/promises',
  'fs',
  'fs/promises',
  'http',
  'http2',
  'https',
  'net',
  'tls',
  'worker_threads',
]);

const EXTENSION_FOLDER = `${path.sep}${path.join('out', 'host', 'extension')}${path.sep}`;
const EXTENSION_MAIN = EXTENSION_FOLDER + path.join('dist', 'extension.js');

export interface ModuleHookParts {
  readonly recorder: Recorder;
  /** Whether files, network and keychain are recorded too: not where the extension is measured, since that costs. */
  readonly isRecordingIo: boolean;
  /** Gives what the extension gets for `vscode`. */
  readonly wrapEditor: (editor: object) => object;
  /** Gives what the editor gets for the extension's own module. Called once. */
  readonly wrapExtension: (exports: object) => object;
}

/** Whether the extension's code was loaded already. */
export function isExtensionLoaded(): boolean {
  return Object.keys(require.cache).some((file) => file.endsWith(EXTENSION_MAIN));
}

/** Whether a file belongs to the extension under test, packed as it is. */
export function isOfExtension(file: string): boolean {
  return file.includes(EXTENSION_FOLDER);
}

/** From now on the extension is given modules that record what it does with them. */
export function hookModules({ isRecordingIo, recorder, wrapEditor, wrapExtension }: ModuleHookParts): void {
  const found: unknown = Reflect.get(Module, '_load');
  if (typeof found !== 'function') throw new Error('Node loads modules in another way now.');
  const original = found;
  const copies = new Map<string, object>();
  const copyOnce = (name: string, make: () => object): object => {
    const copy = copies.get(name) ?? make();
    copies.set(name, copy);
    return copy;
  };

  function load(this: unknown, request: string, parent: unknown, ...rest: unknown[]): unknown {
    const next = (): unknown => Reflect.apply(original, this, [request, parent, ...rest]);
    if (request.endsWith(EXTENSION_MAIN)) {
      const loaded = recorder.during('loading', next);
      return isObject(loaded) ? copyOnce(request, () => wrapExtension(loaded)) : loaded;
    }
    if (!isOfExtension(filenameOf(parent))) return next();
    if (request.endsWith('.node')) recorder.record('native addon', request);
    const loaded = next();
    if (!isObject(loaded)) return loaded;
    const name = request.replace(/^node:/, '');
    if (name === 'vscode') return wrapEditor(loaded);
    if (!isRecordingIo) return loaded;
    if (IO_MODULES.has(name)) return copyOnce(name, () => recordingCopy(recorder, name, loaded));
    return request.endsWith('.node') ? copyOnce(name, () => recordingCopy(recorder, 'keychain', loaded)) : loaded;
  }
  Reflect.set(Module, '_load', load);
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' || typeof value === 'function') && value !== null;
}

function filenameOf(parent: unknown): string {
  if (!isObject(parent) || !('filename' in parent)) return '';
  return typeof parent.filename === 'string' ? parent.filename : '';
}
