import { escapeHtml } from '../oauth/escapeHtml.ts';

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

const STYLE = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1c2128; --soft: #57606a; --line: #d8dee4; --mark: #1a7f37; }
.failure { --mark: #b42318; }
.waiting { --mark: #57606a; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1318; --card: #171c23; --text: #e6e9ed; --soft: #9aa4af; --line: #2b323b; --mark: #4ac26b; }
  .failure { --mark: #ff8a80; }
  .waiting { --mark: #9aa4af; }
}
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px 16px; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main { width: 100%; max-width: 30rem; padding: 40px 32px 32px; background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  text-align: center; box-shadow: 0 1px 2px rgb(0 0 0 / 6%), 0 12px 32px rgb(0 0 0 / 6%); overflow-wrap: anywhere; }
svg { width: 56px; height: 56px; color: var(--mark); }
h1 { margin: 16px 0 8px; font-size: 1.5rem; line-height: 1.25; font-weight: 600; }
p { margin: 0; }
ul { margin: 20px 0 0; padding: 12px 16px; list-style: none; text-align: start; font-size: .875rem; color: var(--soft);
  border: 1px solid var(--line); border-radius: 8px; }
li + li { margin-top: 4px; }
.hint { margin-top: 24px; color: var(--soft); }
.name { margin-top: 24px; font-size: .75rem; letter-spacing: .02em; color: var(--soft); }
@media (max-width: 26rem) { main { padding: 28px 20px 20px; } h1 { font-size: 1.25rem; } }
@media (forced-colors: active) { svg { color: CanvasText; } }
`;

const MARKS: Readonly<Record<CallbackPage['tone'], string>> = {
  success: '<path d="m16.5 24.5 5.2 5.2 10-11"/>',
  failure: '<path d="M24 15v11"/><path d="M24 32.5v.1"/>',
  waiting: '<path d="M16 24v.1"/><path d="M24 24v.1"/><path d="M32 24v.1"/>',
};

/**
 * The whole HTML page: no script, nothing loaded,
 * light or dark as the browser is, readable in a narrow window and by a screen reader.
 */
export function renderCallbackPage(page: CallbackPage): string {
  const details = page.details ?? [];
  const list =
    details.length === 0
      ? ''
      : `\n<ul>\n${details.map((detail) => `<li>${escapeHtml(detail)}</li>`).join('\n')}\n</ul>`;
  return `<!doctype html>
<html lang="${escapeHtml(page.lang ?? 'en')}" class="${page.tone}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(page.title)} – Scopekeeper</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M24 4 40 10v13c0 10-6.6 17.4-16 21C14.6 40.4 8 33 8 23V10Z"/>${MARKS[page.tone]}</svg>
<h1>${escapeHtml(page.title)}</h1>
<p>${escapeHtml(page.message)}</p>${list}
<p class="hint">${escapeHtml(page.hint)}</p>
<p class="name">Scopekeeper</p>
</main>
</body>
</html>
`;
}
