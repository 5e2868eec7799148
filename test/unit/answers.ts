import type { Fetch, FetchRequest } from '../../src/oauth/fetchPort.ts';

/** What a URL answers: a body with status 200, a response, or an error that is thrown. */
export type Answer = object | Response | Error;

export interface SentRequest extends FetchRequest {
  readonly url: string;
}

/** A network in which each URL gives its answers one after the other, the last one for ever; others give 404. */
export function networkOf(answers: Readonly<Record<string, Answer | readonly Answer[]>>): {
  readonly fetch: Fetch;
  readonly sent: SentRequest[];
} {
  const sent: SentRequest[] = [];
  const fetch: Fetch = async (url, request) => {
    const earlier = sent.filter((each) => each.url === url).length;
    sent.push({ ...request, url });
    const given = answers[url] ?? new Response(null, { status: 404 });
    const list: readonly Answer[] = Array.isArray(given) ? given : [given];
    const answer = list[Math.min(earlier, list.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer instanceof Response ? answer.clone() : Response.json(answer);
  };
  return { fetch, sent };
}
