import { renderBrowserPage } from './browserPage.ts';
import { escapeHtml } from '../oauth/escapeHtml.ts';

/** A page that asks the person which scopes to grant. All texts are plain; they are escaped here. */
export interface ConsentPageWords {
  readonly title: string;
  readonly message: string;
  /** Stands over the scopes. */
  readonly legend: string;
  /** What can be granted, all of it ticked. */
  readonly scopes: readonly { readonly scope: string; readonly meaning: string }[];
  readonly allow: string;
  readonly deny: string;
  readonly hint: string;
  readonly lang: string;
}

/**
 * The page with its form, which goes to `answerAt` by GET with `decision=allow` or `decision=deny` and a `scope` for each
 * that is ticked. *Allow* is what Enter presses, as on any form of this kind.
 */
export function renderConsentPage(words: ConsentPageWords, answerAt: string): string {
  const scopes = words.scopes.map(({ meaning, scope }) => {
    const value = escapeHtml(scope);
    return `<label><input type="checkbox" name="scope" value="${value}" checked><span><code>${value}</code><small>${escapeHtml(meaning)}</small></span></label>`;
  });
  const body = `<p>${escapeHtml(words.message)}</p>
<form method="get" action="${escapeHtml(answerAt)}">
<fieldset>
<legend>${escapeHtml(words.legend)}</legend>
${scopes.join('\n')}
</fieldset>
<div class="buttons">
<button class="primary" name="decision" value="allow">${escapeHtml(words.allow)}</button>
<button name="decision" value="deny">${escapeHtml(words.deny)}</button>
</div>
</form>
<p class="hint">${escapeHtml(words.hint)}</p>`;
  return renderBrowserPage({ tone: 'question', title: words.title, body, lang: words.lang });
}
