import { escapeHtml } from '../oauth/escapeHtml.ts';

/** A page of ours in the browser. All texts are plain, and escaped here, but for `body`. */
export interface BrowserPage {
  readonly tone: 'success' | 'failure' | 'waiting' | 'question';
  readonly title: string;
  /** Markup, whose texts were escaped. */
  readonly body: string;
  /** The language of the texts as a BCP 47 tag; `en` by default. */
  readonly lang?: string | undefined;
}

const STYLE = `
:root { color-scheme: light dark; --page: #f5f6f8; --card: #fff; --text: #1c2128; --soft: #57606a; --line: #d8dee4; --mark: #1a7f37; }
.failure { --mark: #b42318; }
.waiting { --mark: #57606a; }
.question { --mark: #0969da; }
@media (prefers-color-scheme: dark) {
  :root { --page: #0f1318; --card: #171c23; --text: #e6e9ed; --soft: #9aa4af; --line: #2b323b; --mark: #4ac26b; }
  .failure { --mark: #ff8a80; }
  .waiting { --mark: #9aa4af; }
  .question { --mark: #6cb6ff; }
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
fieldset { margin: 24px 0 0; padding: 0; border: 0; text-align: start; }
legend { padding: 0; margin-bottom: 8px; font-size: .875rem; color: var(--soft); }
label { display: flex; gap: 12px; align-items: flex-start; padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
label + label { margin-top: 8px; }
input { width: 18px; height: 18px; margin: 3px 0 0; flex: none; accent-color: var(--mark); }
label small { display: block; color: var(--soft); }
code { font: .875rem ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.buttons { display: flex; flex-direction: row-reverse; gap: 12px; margin-top: 24px; }
button { flex: 1; padding: 10px 16px; font: inherit; font-weight: 600; color: var(--text); background: transparent; border: 1px solid var(--line); border-radius: 8px; cursor: pointer; }
button.primary { color: var(--card); background: var(--mark); border-color: var(--mark); }
button:focus-visible, input:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
@media (max-width: 26rem) { main { padding: 28px 20px 20px; } h1 { font-size: 1.25rem; } }
@media (forced-colors: active) { svg { color: CanvasText; } }
`;

const MARKS: Readonly<Record<BrowserPage['tone'], string>> = {
  success: '<path d="m16.5 24.5 5.2 5.2 10-11"/>',
  failure: '<path d="M24 15v11"/><path d="M24 32.5v.1"/>',
  waiting: '<path d="M16 24v.1"/><path d="M24 24v.1"/><path d="M32 24v.1"/>',
  question: '<circle cx="24" cy="20" r="3.5"/><path d="M24 23.5V33"/><path d="M24 29.5h4"/>',
};

/**
 * The whole HTML page: no script, nothing loaded,
 * light or dark as the browser is, readable in a narrow window and by a screen reader.
 */
export function renderBrowserPage({ body, lang = 'en', title, tone }: BrowserPage): string {
  return `<!doctype html>
<html lang="${escapeHtml(lang)}" class="${tone}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)} – Scopekeeper</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<svg viewBox="0 0 48 48" fill="none" stroke="currentColor" stroke-width="3.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d="M24 4 40 10v13c0 10-6.6 17.4-16 21C14.6 40.4 8 33 8 23V10Z"/>${MARKS[tone]}</svg>
<h1>${escapeHtml(title)}</h1>
${body}
<p class="name">Scopekeeper</p>
</main>
</body>
</html>
`;
}
