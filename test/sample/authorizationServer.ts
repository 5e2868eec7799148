import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { errors, Provider, type Configuration } from 'oidc-provider';
import { consentPage, PAGE_HEADERS, problemPage, signInPage } from './signInPages.ts';
import { createAdapter } from './stateAdapter.ts';
import type { SampleState } from './stateFile.ts';

export const SAMPLE_USER = {
  user: 'ada',
  password: 'lovelace',
  name: 'Ada Lovelace',
  email: 'ada@sample.test',
} as const;

/** The scopes of the sample's MCP server. */
const NOTES_SCOPES = ['notes:read', 'notes:write', 'notes:admin'] as const;

const ALL_SCOPES = ['openid', 'offline_access', 'profile', 'email', ...NOTES_SCOPES];
const TEN_YEARS_S = 10 * 365 * 24 * 3600;
const RECORDED_ROUTES = new Set(['token', 'registration', 'revocation']);
const FORM_LIMIT_BYTES = 16 * 1024;

/** A request that reached the token, registration or revocation endpoint. Holds secrets: for tests only. */
export interface RecordedRequest {
  readonly endpoint: string;
  readonly method: string;
  readonly url: string;
  /** The form or the JSON object that was sent. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly status: number;
}

/** What a good access token stands for. */
export interface VerifiedToken {
  readonly accountId: string;
  readonly clientId: string | undefined;
  readonly scopes: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

export interface AuthorizationServer {
  readonly listener: RequestListener;
  /** Gives undefined when the token is unknown, ended, revoked, or meant for another resource (RFC 8707). */
  verifyToken(token: string): Promise<VerifiedToken | undefined>;
}

export interface AuthorizationServerOptions {
  /** Its own URL, without a trailing slash. */
  readonly issuer: string;
  /** The one resource that tokens are given for. */
  readonly resource: string;
  readonly state: SampleState;
  readonly accessTokenTtlSeconds: number;
  readonly refreshTokenTtlSeconds: number;
  readonly onRequest: (request: RecordedRequest) => void;
  readonly log: (line: string) => void;
}

/** A real authorization server: oidc-provider, with the sample's own pages, one user and one resource. */
export function createAuthorizationServer(options: AuthorizationServerOptions): AuthorizationServer {
  const { issuer, resource, onRequest, log } = options;
  const provider = new Provider(issuer, configure(options));

  provider.use(async (ctx, next) => {
    await next();
    // The provider sets `oidc` on the routes it knows, and only after this middleware was called.
    const { oidc } = ctx;
    if (oidc === undefined || !RECORDED_ROUTES.has(oidc.route)) return;
    onRequest({
      endpoint: oidc.route,
      method: ctx.method,
      url: new URL(ctx.url, issuer).href,
      body: { ...oidc.body },
      status: ctx.status,
    });
    log(`${oidc.route} ${ctx.status}`);
  });
  provider.on('server_error', (_ctx, error) => log(`server error: ${error.message}`));

  const answerProvider = provider.callback();
  return {
    listener: (request, response) => {
      const isInteraction = request.url?.startsWith('/interaction/') === true;
      const answer = isInteraction ? answerInteraction(provider, request, response) : answerProvider(request, response);
      answer.catch((error: unknown) => {
        const isExpired = error instanceof errors.SessionNotFound;
        if (!isExpired) log(`failed: ${String(error)}`);
        const problem = isExpired ? 'This sign-in has ended or was finished already.' : 'The server failed.';
        sendPage(response, isExpired ? 400 : 500, problemPage(problem));
      });
    },
    async verifyToken(value) {
      const token = await provider.AccessToken.find(value);
      if (token?.grantId === undefined || !token.isValid || token.aud !== resource) return undefined;
      // A refresh token that was used twice ends its grant, and with it tokens that were being issued just then.
      if ((await provider.Grant.find(token.grantId)) === undefined) return undefined;
      return {
        accountId: token.accountId,
        clientId: token.clientId,
        scopes: [...token.scopes],
        expiresAt: (token.exp ?? 0) * 1000,
      };
    },
  };
}

function configure(options: AuthorizationServerOptions): Configuration {
  const { resource, state, accessTokenTtlSeconds, refreshTokenTtlSeconds } = options;
  return {
    adapter: (model) => createAdapter(state, model),
    jwks: { keys: [state.signingKey] },
    cookies: {
      keys: state.cookieKeys,
      // Cookies do not know ports: other servers on 127.0.0.1 see these.
      names: { session: 'sample_session', interaction: 'sample_interaction', resume: 'sample_resume' },
    },
    clockTolerance: 0,
    scopes: ALL_SCOPES,
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
    // There is no userinfo endpoint, so the claims are in the ID token.
    conformIdTokenClaims: false,
    enabledJWA: { idTokenSigningAlgValues: ['ES256'] },
    responseTypes: ['code'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    pkce: { required: () => true },
    routes: { authorization: '/authorize', registration: '/register', revocation: '/revoke' },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false },
      registration: { enabled: true },
      registrationManagement: { enabled: true, rotateRegistrationAccessToken: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        // No default: a client that forgets `resource` gets a token that the MCP server does not take.
        defaultResource: (_ctx, _client, oneOf) => oneOf ?? [],
        useGrantedResource: () => true,
        getResourceServerInfo: (_ctx, indicator) => {
          if (indicator !== resource) throw new errors.InvalidTarget('this server knows one resource only');
          return { scope: NOTES_SCOPES.join(' '), audience: resource, accessTokenFormat: 'opaque' };
        },
      },
    },
    // RFC 7591 lets a server change what a client registered. The provider holds clients to the scopes of their
    // registration, which would forbid every step-up; so whoever registers some may ask for all.
    extraClientMetadata: {
      properties: ['software_id', 'software_version'],
      validator: (_ctx, _key, _value, metadata) => {
        if (typeof metadata.scope === 'string') metadata.scope = ALL_SCOPES.join(' ');
      },
    },
    // Clients of MCP servers are native: whoever registered the grant gets a refresh token without asking for
    // `offline_access`, and it outlives the browser's session.
    issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: async () => false,
    rotateRefreshToken: true,
    // Revoking any of a grant's tokens ends all of it.
    revokeGrantPolicy: () => true,
    ttl: {
      AccessToken: accessTokenTtlSeconds,
      AuthorizationCode: 60,
      // A rotated refresh token has its full life again, so the grant has to outlive them all.
      Grant: TEN_YEARS_S,
      IdToken: accessTokenTtlSeconds,
      Interaction: 600,
      RefreshToken: refreshTokenTtlSeconds,
      Session: 14 * 24 * 3600,
    },
    clientBasedCORS: () => false,
    findAccount: (_ctx, sub) => ({
      accountId: sub,
      claims: () => ({
        sub,
        name: SAMPLE_USER.name,
        preferred_username: SAMPLE_USER.user,
        email: SAMPLE_USER.email,
        email_verified: true,
      }),
    }),
    interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
    renderError: (ctx, out) => {
      ctx.set(PAGE_HEADERS);
      ctx.body = problemPage(`${out.error}: ${out.error_description ?? 'no description'}`);
    },
  };
}

/** GET shows the page that is due; POST judges what was entered and goes on. */
async function answerInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const interaction = await provider.interactionDetails(request, response);
  const { prompt, params, session, grantId } = interaction;
  const clientId = String(params['client_id']);
  const client = await provider.Client.find(clientId);
  const clientName = client?.clientName ?? clientId;
  const form = request.method === 'POST' ? await readForm(request) : undefined;

  if (prompt.name === 'login') {
    const login = form?.get('login') ?? undefined;
    if (form !== undefined && login === SAMPLE_USER.user && form.get('password') === SAMPLE_USER.password) {
      await provider.interactionFinished(request, response, { login: { accountId: login } });
      return;
    }
    const problem = form === undefined ? undefined : 'The user or the password is wrong.';
    sendPage(response, form === undefined ? 200 : 422, signInPage({ clientName, hint: SAMPLE_USER, login, problem }));
    return;
  }

  const missing = missingScopes(prompt.details);
  if (form?.get('decision') === 'deny') {
    const denial = { error: 'access_denied', error_description: 'The user said no' };
    await provider.interactionFinished(request, response, denial, { mergeWithLastSubmission: false });
  } else if (form?.get('decision') === 'allow' && session !== undefined) {
    const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
    const grant = known ?? new provider.Grant({ accountId: session.accountId, clientId });
    if (missing.openid.length > 0) grant.addOIDCScope(missing.openid.join(' '));
    for (const [indicator, scopes] of Object.entries(missing.resources)) {
      grant.addResourceScope(indicator, scopes.join(' '));
    }
    await provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
  } else {
    const { resource, scope, redirect_uri: redirectUri } = params;
    const newScopes = new Set([...missing.openid, ...Object.values(missing.resources).flat()]);
    const consent = consentPage({
      clientName,
      user: SAMPLE_USER.name,
      resource: typeof resource === 'string' ? resource : undefined,
      redirectHost: new URL(String(redirectUri)).host || String(redirectUri),
      scopes: typeof scope === 'string' ? scope.split(' ') : [],
      newScopes,
    });
    sendPage(response, 200, consent);
  }
}

/** What the provider says is not allowed yet, for itself (OpenID) and for each resource. */
function missingScopes(details: Readonly<Record<string, unknown>>) {
  const resources = Object.entries(details['missingResourceScopes'] ?? {});
  return {
    openid: onlyStrings(details['missingOIDCScope']),
    resources: Object.fromEntries(resources.map(([indicator, scopes]) => [indicator, onlyStrings(scopes)])),
  };
}

function onlyStrings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > FORM_LIMIT_BYTES) throw new Error('the form is too large');
  }
  return new URLSearchParams(text);
}

function sendPage(response: ServerResponse, status: number, page: string): void {
  if (response.headersSent) response.destroy();
  else response.writeHead(status, PAGE_HEADERS).end(page);
}
