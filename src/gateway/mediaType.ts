import type { IncomingHttpHeaders } from 'node:http';

/** Whether a body is a stream of events: of the one media type for that, in any case (RFC 9110 section 8.3.1). */
export function isEventStream({ 'content-type': type = '' }: IncomingHttpHeaders): boolean {
  return /^\s*text\/event-stream\s*(?:;|$)/i.test(type);
}
