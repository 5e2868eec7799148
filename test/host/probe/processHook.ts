import { ChildProcess } from 'node:child_process';
import net from 'node:net';
import { isOfExtension } from './moduleHook.ts';
import { describe, type Recorder } from './recorder.ts';

const STACK_DEPTH = 60;

/**
 * Watches the few places that all of Node's network and native code goes through, whoever holds a reference to what.
 * The editor's own calls are told apart by the stack.
 */
export function hookProcess(recorder: Recorder): void {
  const watch = (owner: object, name: string, label: string, argument = 0) => {
    const original: unknown = Reflect.get(owner, name);
    if (typeof original !== 'function') throw new Error(`There is no ${label} to watch.`);
    function watched(this: unknown, ...args: unknown[]): unknown {
      if (recorder.phase !== 'running' || isCalledByExtension()) recorder.record(label, describe(args[argument]));
      return typeof original === 'function' ? Reflect.apply(original, this, args) : undefined;
    }
    Reflect.set(owner, name, watched);
  };
  watch(process, 'dlopen', 'process.dlopen', 1);
  watch(net.Server.prototype, 'listen', 'listen');
  watch(net.Socket.prototype, 'connect', 'connect');
  watch(ChildProcess.prototype, 'spawn', 'spawn');
  watchLanguageServer(recorder);
  watch(globalThis, 'fetch', 'fetch');
}

/** What is sent to a program that must never be told a secret; its process id goes before. */
function watchLanguageServer(recorder: Recorder): void {
  const spawn: unknown = Reflect.get(ChildProcess.prototype, 'spawn');
  function spawning(this: ChildProcess, ...args: unknown[]): unknown {
    if (typeof spawn !== 'function') return undefined;
    const result: unknown = Reflect.apply(spawn, this, args);
    if (this.spawnargs.some((argument) => argument.endsWith('languageServer.js'))) {
      recorder.record('language server', String(this.pid));
      const send: unknown = Reflect.get(this, 'send');
      const sending = (...message: unknown[]): unknown => {
        recorder.record('to language server', JSON.stringify(message[0]));
        return typeof send === 'function' ? Reflect.apply(send, this, message) : undefined;
      };
      Reflect.set(this, 'send', sending);
    }
    return result;
  }
  Reflect.set(ChildProcess.prototype, 'spawn', spawning);
}

function isCalledByExtension(): boolean {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  try {
    return isOfExtension(new Error('where am I').stack ?? '');
  } finally {
    Error.stackTraceLimit = limit;
  }
}
