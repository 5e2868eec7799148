import type { SampleServer } from './sampleServer.ts';

/** What a page of the sample asks for. */
type Page = 'signIn' | 'consent';

/** A person with a browser of their own: pages, forms, redirects and cookies, without the browser. */
export interface Person {
  /** The pages seen so far, oldest first. */
  readonly seen: readonly Page[];
  /** The HTML of the last page. */
  readonly html: string;
  /**
   * Opens an authorization URL, signs in where asked, decides, and gives the callback URL without opening it.
   * Throws when a page is none of the two.
   */
  authorize(url: string | URL, decision?: 'allow' | 'deny'): Promise<URL>;
}

const MOST_STEPS = 12;

/** A person who knows the sample's password. Cookies last as long as the person. */
export function createPerson(sample: Pick<SampleServer, 'issuer' | 'user' | 'password'>): Person {
  const cookies = new Map<string, string>();
  const seen: Page[] = [];
  let html = '';

  const request = async (url: URL, form?: Record<string, string>): Promise<Response> => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const body = form === undefined ? {} : { method: 'POST', body: new URLSearchParams(form) };
    const response = await fetch(url, { redirect: 'manual', headers: { cookie }, ...body });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };

  return {
    seen,
    get html() {
      return html;
    },
    async authorize(start, decision = 'allow') {
      let url = new URL(start);
      let form: Record<string, string> | undefined;
      for (let step = 0; step < MOST_STEPS; step++) {
        const response = await request(url, form);
        const location = response.headers.get('location');
        form = undefined;
        if (location !== null) {
          url = new URL(location, url);
          if (url.origin !== sample.issuer) return url;
          continue;
        }
        html = await response.text();
        if (html.includes('name="login"')) {
          seen.push('signIn');
          form = { login: sample.user, password: sample.password };
        } else if (html.includes('name="decision"')) {
          seen.push('consent');
          form = { decision };
        } else {
          throw new Error(`An unexpected page: ${response.status} ${html}`);
        }
      }
      throw new Error('The pages never end');
    },
  };
}
