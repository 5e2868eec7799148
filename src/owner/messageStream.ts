import type { Duplex } from 'node:stream';
import { literal, looseObject, parse } from 'valibot';
import {
  AbstractMessageReader,
  AbstractMessageWriter,
  createMessageConnection,
  type DataCallback,
  type Disposable,
  type Message,
  type MessageConnection,
  type MessageReader,
  type MessageWriter,
} from 'vscode-jsonrpc/node';
import { describeError } from '../connections/errors.ts';
import type { Log } from '../connections/ports.ts';
import type { ByteReader } from './byteReader.ts';

/** The longest message, in bytes; one connection with all that is shown of it takes some thousand. */
export const LONGEST_MESSAGE_BYTES = 8 * 1024 * 1024;

/** So much may wait for a window that does not read; then it is cut off. */
const WAITING_AT_MOST_BYTES = 4 * LONGEST_MESSAGE_BYTES;

const LENGTH_BYTES = 4;
const messageSchema = looseObject({ jsonrpc: literal('2.0') });

/** JSON-RPC over a stream; it ends with the stream, and what then waits for an answer is rejected. */
export function messageConnection(reader: ByteReader, log: Log): MessageConnection {
  const { stream } = reader;
  // No message is traced: some hold what a person entered.
  const warn = (): void => log.warn('A message between windows could not be sent or taken.');
  const logger = { error: warn, warn, info: () => undefined, log: () => undefined };
  const connection = createMessageConnection(new StreamReader(reader), new StreamWriter(stream), logger);
  connection.onClose(() => {
    connection.dispose();
    // Whoever has gone has only closed its half, and the owner's half would stay open for as long as its window.
    stream.destroy();
  });
  connection.onError(([error]) => {
    log.warn(`The connection to another window failed: ${describeError(error)}`);
    stream.destroy();
  });
  return connection;
}

/** Each message is its length in four bytes and then JSON. */
class StreamReader extends AbstractMessageReader implements MessageReader {
  readonly #reader: ByteReader;
  #isListening = true;

  constructor(reader: ByteReader) {
    super();
    this.#reader = reader;
  }

  listen(callback: DataCallback): Disposable {
    void this.#readAll(callback).then(
      () => this.fireClose(),
      (error: unknown) => {
        this.fireError(error);
        this.fireClose();
      },
    );
    return {
      dispose: () => {
        this.#isListening = false;
      },
    };
  }

  async #readAll(callback: DataCallback): Promise<void> {
    for (;;) {
      const head = await this.#reader.read(LENGTH_BYTES);
      if (head === undefined || !this.#isListening) return;
      const length = head.readUInt32BE(0);
      if (length > LONGEST_MESSAGE_BYTES) throw new Error(`a message of ${length} bytes`);
      const body = await this.#reader.read(length);
      if (body === undefined) return;
      callback(parse(messageSchema, JSON.parse(body.toString('utf8'))));
    }
  }
}

class StreamWriter extends AbstractMessageWriter implements MessageWriter {
  readonly #stream: Duplex;

  constructor(stream: Duplex) {
    super();
    this.#stream = stream;
  }

  async write(message: Message): Promise<void> {
    const body = Buffer.from(JSON.stringify(message), 'utf8');
    if (body.length > LONGEST_MESSAGE_BYTES) throw new Error(`a message of ${body.length} bytes`);
    if (this.#stream.writableLength > WAITING_AT_MOST_BYTES) this.#stream.destroy();
    if (!this.#stream.writable) throw new Error('the connection has ended');
    const head = Buffer.alloc(LENGTH_BYTES);
    head.writeUInt32BE(body.length);
    this.#stream.write(Buffer.concat([head, body]));
  }

  end(): void {
    this.#stream.end();
  }
}
