import { escapeHtml } from '../oauth/escapeHtml.ts';
import { renderBrowserPage } from './browserPage.ts';

/** What a page in the browser says: after a sign-in, or while a local client waits. All texts are plain; they are escaped here. */
export interface CallbackPage {
  readonly tone: 'success' | 'failure' | 'waiting';
  readonly title: string;
  readonly message: string;
  /** Facts below the message, such as the scopes that were granted or what the server said. */
  readonly details?: readonly string[];
  /** What to do next. */
  readonly hint: string;
  /** The language of the texts as a BCP 47 tag; `en` by default. */
  readonly lang?: string;
}

/** The page that ends a sign-in, or says that a local client waits. */
export function renderCallbackPage({ details = [], hint, lang, message, title, tone }: CallbackPage): string {
  const list =
    details.length === 0
      ? ''
      : `\n<ul>\n${details.map((detail) => `<li>${escapeHtml(detail)}</li>`).join('\n')}\n</ul>`;
  const body = `<p>${escapeHtml(message)}</p>${list}\n<p class="hint">${escapeHtml(hint)}</p>`;
  return renderBrowserPage({ tone, title, body, lang });
}
