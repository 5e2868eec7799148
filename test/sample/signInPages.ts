import { escapeHtml } from '../../src/oauth/escapeHtml.ts';

/** What each scope of the sample means to a person. */
const SCOPE_WORDS: Readonly<Record<string, string>> = {
  'notes:read': 'Read your notes',
  'notes:write': 'Add notes',
  'notes:admin': 'Delete all your notes',
  openid: 'Know that it is you',
  profile: 'See your name',
  email: 'See your email address',
  offline_access: 'Stay connected while you are away',
};

const STYLE = `
:root { color-scheme: light dark; --page: #eef1f6; --card: #fff; --text: #1b1f27; --soft: #566072; --line: #d5dae3;
  --accent: #2257c7; --on-accent: #fff; --bad: #b3261e; --note: #f4f6fa; }
@media (prefers-color-scheme: dark) { :root { --page: #14171d; --card: #1e232c; --text: #eceff4; --soft: #a6b0c0;
  --line: #39414f; --accent: #8ab4ff; --on-accent: #0c1a33; --bad: #ffb4ab; --note: #262c37; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px; background: var(--page);
  color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { width: 100%; max-width: 26rem; padding: 32px; background: var(--card); border: 1px solid var(--line);
  border-radius: 16px; overflow-wrap: anywhere; }
h1 { margin: 0 0 8px; font-size: 1.375rem; line-height: 1.3; }
p { margin: 0 0 16px; color: var(--soft); }
strong { color: var(--text); }
label { display: block; margin: 0 0 4px; font-weight: 600; }
input { width: 100%; margin: 0 0 16px; padding: 10px 12px; font: inherit; color: inherit; background: transparent;
  border: 1px solid var(--soft); border-radius: 8px; }
button { flex: 1; padding: 10px 16px; font: inherit; font-weight: 600; border: 1px solid var(--accent);
  border-radius: 8px; background: var(--accent); color: var(--on-accent); cursor: pointer; }
button.quiet { background: transparent; color: var(--accent); }
:is(input, button):focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.buttons { display: flex; gap: 12px; }
.note, .problem { padding: 10px 12px; border-radius: 8px; background: var(--note); font-size: .875rem; }
.problem { color: var(--bad); border: 1px solid currentColor; }
ul { list-style: none; margin: 0 0 16px; padding: 0; border: 1px solid var(--line); border-radius: 8px; }
li { padding: 10px 12px; } li + li { border-top: 1px solid var(--line); }
li code { display: block; font-size: .8125rem; color: var(--soft); }
.new { float: right; margin-left: 8px; padding: 0 8px; border: 1px solid currentColor; border-radius: 99px;
  font-size: .75rem; color: var(--accent); }
`;

/** A value that is HTML already and is not escaped again. */
class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Escapes every value that is not itself made by this tag; lists are joined, undefined is nothing. */
function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[] | undefined)[]
): Html {
  const safe = values.map((value) => {
    if (value === undefined) return '';
    if (typeof value === 'string') return escapeHtml(value);
    return value instanceof Html ? value.text : value.map((item) => item.text).join('');
  });
  return new Html(String.raw({ raw: strings }, ...safe));
}

function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Sample Notes</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.text;
}

/** The headers of every page. No `form-action`: Chromium applies it to the redirect to the client's callback too. */
export const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
} as const;

/**
 * The sign-in page: `input[name=login]`, `input[name=password]`, `button[type=submit]`.
 * @param clientName what the application calls itself; untrusted.
 * @param hint the user and password that work, since this is a sample.
 */
export function signInPage(options: {
  clientName: string;
  hint: { user: string; password: string };
  login?: string | undefined;
  problem?: string | undefined;
}): string {
  const { clientName, hint, login, problem } = options;
  return page(
    'Sign in',
    html`<h1>Sign in to Sample Notes</h1>
      <p>to continue to <strong>${clientName}</strong></p>
      ${problem === undefined ? undefined : html`<p class="problem" role="alert">${problem}</p>`}
      <form method="post" autocomplete="off">
        <label for="login">User</label
        ><input id="login" name="login" value="${login ?? ''}" autocapitalize="none" required autofocus />
        <label for="password">Password</label><input id="password" name="password" type="password" required />
        <p class="note">
          This is a sample: sign in as <strong>${hint.user}</strong> with the password
          <strong>${hint.password}</strong>.
        </p>
        <div class="buttons"><button type="submit">Sign in</button></div>
      </form>`,
  );
}

/**
 * The consent page: `button[name=decision][value=allow]` and `[value=deny]`.
 * @param clientName what the application calls itself; untrusted, and shown as its claim.
 * @param scopes everything that is asked for; those in `newScopes` were never allowed before.
 */
export function consentPage(options: {
  clientName: string;
  user: string;
  resource?: string | undefined;
  redirectHost: string;
  scopes: readonly string[];
  newScopes: ReadonlySet<string>;
}): string {
  const { clientName, user, resource, redirectHost, scopes, newScopes } = options;
  const rows = scopes.map(
    (scope) =>
      html`<li>
        ${newScopes.has(scope) ? html`<span class="new">new</span>` : undefined}${SCOPE_WORDS[scope] ?? scope}<code
          >${scope}</code
        >
      </li>`,
  );
  return page(
    'Allow access',
    html`<h1>Allow “${clientName}”?</h1>
      <p>This is the name that the application gives itself. You are signed in as <strong>${user}</strong>.</p>
      <p>It asks for access to ${resource === undefined ? 'your account' : html`<strong>${resource}</strong>`}:</p>
      <ul>
        ${rows}
      </ul>
      <p class="note">You will be taken to <strong>${redirectHost}</strong>.</p>
      <form method="post">
        <div class="buttons">
          <button type="submit" name="decision" value="allow">Allow</button>
          <button type="submit" name="decision" value="deny" class="quiet">Deny</button>
        </div>
      </form>`,
  );
}

/** A page that says what went wrong and what to do. */
export function problemPage(problem: string): string {
  return page(
    'Problem',
    html`<h1>This did not work</h1>
      <p class="problem" role="alert">${problem}</p>
      <p>Go back to the application and start the sign-in again.</p>`,
  );
}
