import { once } from 'node:events';
import http from 'node:http';

export interface RawAnswer {
  readonly status: number | undefined;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
  readonly text: string;
}

export interface RawOptions extends http.RequestOptions {
  readonly body?: string | Buffer;
}

/** Sends a request that may be malformed in ways that `fetch` does not let through, and reads the answer. */
export async function rawRequest(url: string, { body, ...options }: RawOptions = {}): Promise<RawAnswer> {
  const { hostname, pathname, port, search } = new URL(url);
  const request = http.request({ hostname, port, path: pathname + search, agent: false, ...options });
  request.end(body);
  const answer = await responseTo(request);
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  const whole = Buffer.concat(chunks);
  return { status: answer.statusCode, headers: answer.headers, body: whole, text: whole.toString() };
}

/** The head of an answer. */
export async function responseTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  const [answer] = await once(request, 'response');
  if (!(answer instanceof http.IncomingMessage)) throw new Error('no answer');
  return answer;
}
