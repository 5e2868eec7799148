import { CONNECTION_KINDS, currentGrant, type Connection, type ConnectionKind } from '../connections/connection.ts';
import type { ConnectionService } from '../connections/connectionService.ts';
import { isOAuthError } from '../oauth/errors.ts';
import { confirm } from './confirm.ts';
import { discoverIssuer } from './discoverIssuer.ts';
import { askForKind, type KindSetup } from './kindQuestions.ts';
import { isOffered, kindText, needsClient } from './kindText.ts';
import { t } from './localize.ts';
import { showError } from './notifications.ts';
import { askChoice, type Choice } from './questions.ts';
import { clientMetadataUrl } from './settings.ts';
import type { SignIn } from './signIn.ts';

export interface SignInAnotherWayParts {
  readonly service: ConnectionService;
  readonly signIn: SignIn;
}

/** How a connection that gets another kind leaves what was entered for the old one. */
const NOTHING_ENTERED = {
  client: undefined,
  assertionFile: undefined,
  assertionIssuer: undefined,
  identityProvider: undefined,
} as const;

/**
 * Lets the person choose how a connection gets its tokens, asks for what that needs, and signs in so.
 * @param wanted the kind that an error is about: what it needs is asked for at once.
 * Gives false when the person gives up; then nothing has changed.
 */
export async function signInAnotherWay(
  parts: SignInAnotherWayParts,
  connection: Connection,
  wanted?: unknown,
): Promise<boolean> {
  const { service, signIn } = parts;
  try {
    const chosen = await choose(service, connection, wanted);
    if (chosen === undefined) return false;
    const { kind, setup } = chosen;
    await signIn.stop(connection.id);
    const { settings, entered } = setup;
    const isOther = kind !== connection.kind;
    // A client that was registered for the browser by hand is kept for it.
    const left = isOther && needsClient(connection.kind) ? NOTHING_ENTERED : {};
    await service.changeKind(connection.id, kind, { ...left, ...settings }, entered);
  } catch (error) {
    const current = service.get(connection.id) ?? connection;
    const tryAgain = async () => void (await signInAnotherWay(parts, current, wanted));
    void showError(error, { connection: current, tryAgain });
    return true;
  }
  await signIn.run(service.get(connection.id) ?? connection);
  return true;
}

interface Chosen {
  readonly kind: ConnectionKind;
  readonly setup: KindSetup;
}

async function choose(
  service: ConnectionService,
  connection: Connection,
  wanted: unknown,
): Promise<Chosen | undefined> {
  const direct = CONNECTION_KINDS.find((kind) => kind === wanted);
  let preselected = CONNECTION_KINDS.find((kind) => isOffered(connection, kind)) ?? connection.kind;
  for (;;) {
    const kind = direct ?? (await askKind(connection, preselected));
    if (kind === undefined || !(await mayChange(connection, kind))) return undefined;
    // As it is now: what is entered for one authorization server must not go to another (P11).
    const issuer = needsClient(kind) ? await discoverIssuer(service, connection) : '';
    if (issuer === undefined) return undefined;
    const hasClientDocument = clientMetadataUrl() !== undefined;
    const setup = await askForKind(kind, { connection, issuer, hasClientDocument }, direct === undefined);
    if (setup === 'cancelled') return undefined;
    if (setup !== 'back') return { kind, setup };
    preselected = kind;
  }
}

async function askKind(connection: Connection, preselected: ConnectionKind): Promise<ConnectionKind | undefined> {
  const answer = await askChoice({
    title: t('Sign In Another Way'),
    placeholder: t('How do you sign in to {0}?', connection.name),
    preselected,
    choices: CONNECTION_KINDS.map((kind) => kindChoice(connection, kind)),
  });
  return answer.type === 'answered' ? answer.value : undefined;
}

function kindChoice(connection: Connection, kind: ConnectionKind): Choice<ConnectionKind> {
  const { detail, icon, label } = kindText(kind);
  return { value: kind, label, detail, icon, description: kindNote(connection, kind) };
}

function kindNote(connection: Connection, kind: ConnectionKind): string {
  if (isOffered(connection, kind)) return t('offered by this server');
  if (kind === connection.kind && isOAuthError(connection.lastError, 'grant_unsupported'))
    return t('refused by this server');
  return kind === connection.kind ? t('in use') : '';
}

/** Another kind costs a connection its tokens, so the person is asked first. */
async function mayChange(connection: Connection, kind: ConnectionKind): Promise<boolean> {
  if (kind === connection.kind || currentGrant(connection) === undefined) return true;
  const detail =
    connection.kind === 'static_token'
      ? t('The token that you entered is forgotten here.')
      : t('The tokens that there are now are revoked at the authorization server and forgotten here.');
  return confirm(t('Change how {0} signs in?', connection.name), detail, t('Change'));
}
