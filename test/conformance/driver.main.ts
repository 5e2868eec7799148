// The client under test of the official conformance suite: it speaks MCP and asks the token manager for tokens.
// It knows nothing of the scenario but the URL of the server and the context that every client is given.
import * as v from 'valibot';
import { createHeadlessManager } from '../headless/headlessManager.ts';
import { McpClient } from './mcpClient.ts';
import { CLIENT_METADATA_URL, followRedirect, suiteRun } from './suite.ts';

const { serverUrl, version, context } = suiteRun();
const headless = createHeadlessManager({
  browser: followRedirect,
  clientMetadataUrl: CLIENT_METADATA_URL,
});
const { manager } = headless;
const { id } = await manager.add(serverUrl);
/** Kind and client: no sign-in needs more to be put right. */
const MOST_CORRECTIONS = 2;

/** Chooses how to sign in, by what there is to sign in with. */
async function prepare(): Promise<void> {
  const { idp_issuer: issuer, idp_client_id: clientId, idp_id_token: idToken, valid_jwt: assertion } = context;
  if (issuer !== undefined && clientId !== undefined && idToken !== undefined) {
    await manager.changeKind(id, 'enterprise_managed');
    await manager.configure(id, { identityProvider: { issuer, clientId } }, { identityProvider: { idToken } });
  } else if (assertion !== undefined) {
    await manager.changeKind(id, 'workload_identity');
    await manager.configure(id, {}, { assertion });
  } else if (context.private_key_pem !== undefined) {
    await manager.changeKind(id, 'client_credentials');
  }
}

/** Signs in, as the person would: with the client that was registered by hand when one is asked for. */
async function signIn(): Promise<void> {
  for (let corrections = 0; ; corrections++) {
    try {
      await manager.authorize(id);
      return;
    } catch (error) {
      if (corrections === MOST_CORRECTIONS || !(await correct())) throw error;
    }
  }
}

/** Does what the failed sign-in calls for; gives false when there is nothing to be done. */
async function correct(): Promise<boolean> {
  const { code, details } = manager.get(id)?.lastError ?? {};
  const { client_id: clientId, client_secret: clientSecret, private_key_pem: privateKey } = context;
  if (code === 'grant_unsupported' && clientSecret !== undefined) {
    await manager.changeKind(id, 'client_credentials');
    return true;
  }
  const asking = v.safeParse(v.object({ issuer: v.string() }), details);
  const asksForClient = code === 'registration_unsupported' || code === 'credentials_missing';
  if (!asksForClient || clientId === undefined || !asking.success) return false;
  const { issuer } = asking.output;
  await manager.configure(
    id,
    { client: { issuer, clientId } },
    { ...(clientSecret !== undefined && { clientSecret }), ...(privateKey !== undefined && { privateKey }) },
  );
  return true;
}

const client = new McpClient(serverUrl, version, {
  authorize: async (request) =>
    manager.get(id)?.issuer === undefined ? undefined : manager.authorizeRequest(id, request),
  onNonce: (url, nonce) => manager.noteDpopNonce(url, nonce),
  onChallenge: async (challenge) => {
    const outcome = await manager.answerChallenge(id, challenge);
    if (outcome.type !== 'authorize') return outcome.type;
    await signIn();
    return 'retry';
  },
});

try {
  await prepare();
  await client.run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await headless.dispose();
}
