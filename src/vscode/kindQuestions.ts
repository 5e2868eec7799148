import path from 'node:path';
import type { EnteredSecrets } from '../connections/configuration.ts';
import type { Connection, ConnectionKind, SettingsChange } from '../connections/connection.ts';
import { isLoopbackHost } from '../oauth/addressPolicy.ts';
import { isIssuer } from '../oauth/serverMetadata.ts';
import { kindText } from './kindText.ts';
import { t } from './localize.ts';
import { askPrivateKey, pickFile } from './pickFile.ts';
import { askChoice, askInTurn, askText, required, step, type Step, type TextQuestion } from './questions.ts';
import { displayUrl, withoutLinks } from './untrustedText.ts';

/** What a person enters for a way to sign in. */
export interface KindSetup {
  settings: SettingsChange;
  entered: EnteredSecrets;
}

export interface KindQuestions {
  readonly connection: Connection;
  /** The authorization server that a client is entered for. */
  readonly issuer: string;
  /** Whether authorization servers can know this software without a client ID. */
  readonly hasClientDocument: boolean;
}

/**
 * Asks for what a way to sign in needs, which is nothing for some.
 * @param canGoBack whether there is a question before these
 */
export async function askForKind(
  kind: ConnectionKind,
  about: KindQuestions,
  canGoBack: boolean,
): Promise<KindSetup | 'back' | 'cancelled'> {
  const setup: KindSetup = { settings: {}, entered: {} };
  const outcome = await askInTurn(stepsOf(kind, about, setup), canGoBack);
  return outcome === 'done' ? setup : outcome;
}

function stepsOf(kind: ConnectionKind, about: KindQuestions, setup: KindSetup): readonly Step[] {
  switch (kind) {
    case 'authorization_code':
    case 'device_code':
      return [];
    case 'client_credentials':
      return clientCredentialsSteps(about, setup);
    case 'workload_identity':
      return workloadSteps(about, setup);
    case 'enterprise_managed':
      return companySteps(about, setup);
    case 'static_token':
      return [tokenStep(about.connection, setup)];
  }
}

function clientCredentialsSteps(about: KindQuestions, setup: KindSetup): readonly Step[] {
  const title = kindText('client_credentials').label;
  let proof: 'secret' | 'key' = 'secret';
  const secretStep = step(
    async (place) =>
      askText({
        ...place,
        title,
        prompt: t('Its client secret; it is kept in the keychain'),
        isSecret: true,
        problem: required(t('Enter the client secret.')),
      }),
    (clientSecret) => {
      setup.entered = { clientSecret };
    },
  );
  return [
    clientIdStep(title, about, setup),
    step(
      async (place) =>
        askChoice({
          ...place,
          title,
          placeholder: t('How does the client prove that it is itself?'),
          preselected: proof,
          choices: [
            { value: 'secret', label: t('Client secret'), detail: t('You paste it.'), icon: 'lock' },
            {
              value: 'key',
              label: t('Private key'),
              detail: t('You choose its file: PEM (PKCS #8) or JWK. It is copied to the keychain.'),
              icon: 'file',
            },
          ] as const,
        }),
      (value) => {
        proof = value;
      },
    ),
    async (place) => {
      if (proof === 'secret') return secretStep(place);
      const privateKey = await askPrivateKey();
      // Without a file there may be a secret after all.
      if (privateKey === undefined) return 'back';
      setup.entered = { privateKey };
      return 'next';
    },
  ];
}

function workloadSteps(about: KindQuestions, setup: KindSetup): readonly Step[] {
  const title = kindText('workload_identity').label;
  let isFile = true;
  return [
    clientIdStep(title, about, setup, about.hasClientDocument),
    step(
      async (place) =>
        askChoice({
          ...place,
          title,
          placeholder: t('Where is the identity token of the workload?'),
          preselected: isFile,
          choices: [
            {
              value: true,
              label: t('In a file'),
              detail: t('It is read anew whenever a token is needed, since the platform replaces it.'),
              icon: 'file',
            },
            {
              value: false,
              label: t('I paste it'),
              detail: t('It is kept in the keychain, and you paste another one when it has ended.'),
              icon: 'clippy',
            },
          ],
        }),
      (value) => {
        isFile = value;
      },
    ),
    async (place) => {
      const question = isFile ? assertionFileQuestion(about.connection) : assertionQuestion();
      return step(
        async () => askText({ ...place, title, ...question }),
        (value) => {
          const assertionFile = isFile ? value : undefined;
          setup.settings = { ...setup.settings, assertionFile, assertionIssuer: about.issuer };
          setup.entered = isFile ? {} : { assertion: value };
        },
      )(place);
    },
  ];
}

function assertionFileQuestion({ settings }: Connection): Omit<TextQuestion, 'title'> {
  return {
    prompt: t('The path of the file with the identity token'),
    placeholder: '/var/run/secrets/tokens/mcp',
    value: settings.assertionFile,
    problem: (text) => (path.isAbsolute(text) ? undefined : t('Enter the whole path, from the root on.')),
    buttons: [
      {
        icon: 'folder-opened',
        tooltip: t('Choose the file'),
        act: async () => (await pickFile(t('The Identity Token of the Workload')))?.fsPath,
      },
    ],
  };
}

function assertionQuestion(): Omit<TextQuestion, 'title'> {
  return { prompt: t('The identity token, a JWT; it is kept in the keychain'), isSecret: true, problem: tokenProblem };
}

function companySteps(about: KindQuestions, setup: KindSetup): readonly Step[] {
  const title = kindText('enterprise_managed').label;
  const { issuer = '', clientId = '' } = about.connection.settings.identityProvider ?? {};
  const provider = { issuer, clientId, clientSecret: '' };
  const keepProvider = (change: Partial<typeof provider>) => {
    const { clientSecret, ...identityProvider } = Object.assign(provider, change);
    setup.settings = { ...setup.settings, identityProvider };
    setup.entered = clientSecret === '' ? {} : { identityProvider: { clientSecret } };
  };
  return [
    step(
      async (place) =>
        askText({
          ...place,
          title,
          prompt: t('The issuer URL of your company’s identity provider'),
          placeholder: 'https://login.example.com',
          value: provider.issuer,
          problem: issuerProblem,
        }),
      (value) => keepProvider({ issuer: value }),
    ),
    step(
      async (place) =>
        askText({
          ...place,
          title,
          prompt: t('The client ID that you registered at {0}', withoutLinks(displayUrl(provider.issuer))),
          value: provider.clientId,
          problem: required(t('Enter a client ID.')),
        }),
      (value) => keepProvider({ clientId: value }),
    ),
    step(
      async (place) => askText({ ...place, title, prompt: optionalSecretPrompt(), isSecret: true }),
      (value) => keepProvider({ clientSecret: value }),
    ),
    clientIdStep(title, about, setup),
    step(
      async (place) => askText({ ...place, title, prompt: optionalSecretPrompt(), isSecret: true }),
      (clientSecret) => {
        const { identityProvider = {} } = setup.entered;
        setup.entered = { identityProvider, ...(clientSecret !== '' && { clientSecret }) };
      },
    ),
  ];
}

function optionalSecretPrompt(): string {
  return t('Its client secret; leave this empty if it has none');
}

function tokenStep({ serverUrl }: Connection, setup: KindSetup): Step {
  return step(
    async (place) =>
      askText({
        ...place,
        title: kindText('static_token').label,
        prompt: t('The token for {0}; it is kept in the keychain', withoutLinks(displayUrl(serverUrl))),
        isSecret: true,
        problem: (text) => tokenProblem(bareToken(text)),
      }),
    (text) => {
      setup.entered = { accessToken: bareToken(text) };
    },
  );
}

/** A token without the scheme that it is often copied with. */
function bareToken(text: string): string {
  return text.replace(/^(?:authorization:\s*)?bearer\s+/i, '');
}

function tokenProblem(text: string): string | undefined {
  if (text === '') return t('Enter the token.');
  return /\s/.test(text) ? t('A token has no blanks in it.') : undefined;
}

/**
 * Asks for the client ID at the MCP server's authorization server, to which it is bound.
 * @param isOptional whether there is our client metadata document to go by instead
 */
function clientIdStep(
  title: string,
  { connection, issuer }: KindQuestions,
  setup: KindSetup,
  isOptional = false,
): Step {
  const known = connection.settings.client;
  let clientId = known?.issuer === issuer ? known.clientId : '';
  const server = withoutLinks(displayUrl(issuer));
  const question = isOptional
    ? {
        prompt: t(
          'The client ID that you registered at {0}; leave this empty if it takes our metadata document',
          server,
        ),
      }
    : { prompt: t('The client ID that you registered at {0}', server), problem: required(t('Enter a client ID.')) };
  return step(
    async (place) => askText({ ...place, ...question, title, value: clientId }),
    (value) => {
      clientId = value;
      setup.settings = { ...setup.settings, client: value === '' ? undefined : { issuer, clientId } };
    },
  );
}

function issuerProblem(text: string): string | undefined {
  if (!isIssuer(text)) return t('Enter a URL like https://login.example.com.');
  const { hostname, protocol } = new URL(text);
  const isSafe = protocol === 'https:' || isLoopbackHost(hostname);
  return isSafe ? undefined : t('The URL of an identity provider begins with https://.');
}
