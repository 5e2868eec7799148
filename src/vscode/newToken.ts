import * as vscode from 'vscode';
import type { Connection } from '../connections/connection.ts';
import type { GatewayService, NewToken } from '../gateway/gatewayService.ts';
import type { AllowedTools } from '../gateway/localAccess.ts';
import { askAllowedTools } from './chooseTools.ts';
import { t } from './localize.ts';
import { type Answer, askChoice, askInTurn, askText, type QuestionPlace, required, step } from './questions.ts';
import { withoutLinks } from './untrustedText.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const DEFAULT_DAYS = 90;

/**
 * Makes a token for a client that cannot do OAuth. It is never drawn: a button puts it on the clipboard, once.
 */
export async function newToken(gateway: GatewayService, connection: Connection): Promise<void> {
  const name = withoutLinks(connection.name);
  const title = t('New Token for {0}', name);
  let label = '';
  let allowedTools: AllowedTools | undefined;
  let days: number | undefined;
  const outcome = await askInTurn(
    [
      step(
        async (place) =>
          askText({
            ...place,
            title,
            prompt: t('What is it for? By this name you know it later.'),
            placeholder: t('such as: backup script'),
            value: label,
            problem: required(t('Enter a name.')),
          }),
        (value) => {
          label = value;
        },
      ),
      step(
        async (place) => askAllowedTools(gateway, { ...place, title, connection, before: allowedTools }),
        (value) => {
          allowedTools = value;
        },
      ),
      step(
        async (place) => askDays({ ...place, title }),
        (value) => {
          days = value;
        },
      ),
    ],
    false,
  );
  if (outcome !== 'done' || allowedTools === undefined) return;
  const token = await gateway.createToken({ label, connection: connection.id, allowedTools, ...lifetimeOf(days) });
  const url = await gateway.gatewayUrl(connection.id);
  const copy = t('Copy Token');
  const chosen = await vscode.window.showInformationMessage(
    t('The token “{0}” is made', label),
    {
      modal: true,
      detail: t(
        'Copy it now: it is not kept anywhere and cannot be shown again. The client sends it as a bearer token to {0}',
        url,
      ),
    },
    copy,
  );
  if (chosen !== copy) return;
  await vscode.env.clipboard.writeText(token);
  vscode.window.setStatusBarMessage(t('$(copy) Copied. Paste it into the client, then clear the clipboard'), 5000);
}

/** Asks for how many days a token is to be good; undefined for one that never ends by itself. */
export async function askDays(
  question: QuestionPlace & { readonly title: string },
): Promise<Answer<number | undefined>> {
  return askChoice({
    ...question,
    placeholder: t('How long is it good?'),
    choices: [1, 7, 30, DEFAULT_DAYS, 365, undefined].map((value) => ({ value, label: daysText(value) })),
    preselected: DEFAULT_DAYS,
  });
}

/** What {@link askDays} gave, as the gateway takes it. */
export function lifetimeOf(days: number | undefined): Pick<NewToken, 'lifetimeMs'> {
  return days === undefined ? {} : { lifetimeMs: days * DAY_MS };
}

function daysText(days: number | undefined): string {
  if (days === undefined) return t('Until you revoke it');
  return days === 1 ? t('1 day') : t('{0} days', days);
}
