import type { ClientId } from './configClient.ts';
import type { EntryShape, KeyShapes, ValueShape } from './entryShape.ts';

const STRING: ValueShape = { type: 'string' };
const NUMBER: ValueShape = { type: 'number' };
const BOOLEAN: ValueShape = { type: 'boolean' };
const STRINGS: ValueShape = { type: 'strings' };
const TEXTS: ValueShape = { type: 'texts' };
const ANY: ValueShape = { type: 'any' };

function oneOf(...values: readonly string[]): ValueShape {
  return { type: 'string', values };
}

function object(keys: KeyShapes): ValueShape {
  return { type: 'object', keys };
}

/** A program that is started, as all clients take it. */
const PROGRAM: KeyShapes = { command: STRING, args: STRINGS, env: TEXTS };

/** The keys that each client takes in the entry of a server. The sources are public, as of November 2026. */
export const entryShapes: Readonly<Record<ClientId, EntryShape>> = {
  /**
   * code.visualstudio.com/docs/agents/reference/mcp-configuration, and `mcpConfiguration.ts` in microsoft/vscode, by
   * which the editor itself tells what is not allowed. Values of `env` may be numbers and null.
   */
  vscode: {
    isComplete: false,
    keys: {
      type: oneOf('stdio', 'http', 'sse'),
      command: STRING,
      args: STRINGS,
      cwd: STRING,
      env: ANY,
      envFile: STRING,
      dev: ANY,
      sandboxEnabled: BOOLEAN,
      sandbox: ANY,
      url: STRING,
      headers: TEXTS,
      oauth: object({ clientId: STRING }),
      gallery: ANY,
      version: STRING,
    },
  },
  /** code.claude.com/docs/en/mcp; the last four are in what it checks its files by, but not in its documentation. */
  'claude-code': {
    isComplete: true,
    keys: {
      ...PROGRAM,
      type: oneOf('stdio', 'http', 'streamable-http', 'sse', 'ws'),
      cwd: STRING,
      url: STRING,
      headers: TEXTS,
      headersHelper: STRING,
      oauth: object({ clientId: STRING, callbackPort: NUMBER, authServerMetadataUrl: STRING, scopes: STRING }),
      timeout: NUMBER,
      alwaysLoad: BOOLEAN,
      request_timeout_ms: NUMBER,
      tools: ANY,
      discoveryCache: BOOLEAN,
      toolPermissions: ANY,
    },
  },
  /** modelcontextprotocol.io, "Connect to local MCP servers", which shows an example. */
  'claude-desktop': { isComplete: false, keys: PROGRAM },
  /** cursor.com/docs/mcp. */
  cursor: {
    isComplete: true,
    keys: {
      ...PROGRAM,
      type: oneOf('stdio', 'http', 'sse'),
      envFile: STRING,
      url: STRING,
      headers: TEXTS,
      auth: object({ CLIENT_ID: STRING, CLIENT_SECRET: STRING, scopes: STRINGS }),
    },
  },
  /** docs.devin.ai/desktop/cascade/mcp, which shows examples. */
  windsurf: {
    isComplete: false,
    keys: {
      ...PROGRAM,
      serverUrl: STRING,
      url: STRING,
      headers: TEXTS,
      disabled: BOOLEAN,
      disabledTools: STRINGS,
      alwaysAllow: STRINGS,
    },
  },
  /** developers.openai.com/codex/mcp, and `RawMcpServerConfig` in openai/codex. It refuses `bearer_token`. */
  codex: {
    isComplete: true,
    keys: {
      ...PROGRAM,
      env_vars: ANY,
      cwd: STRING,
      url: STRING,
      bearer_token: STRING,
      bearer_token_env_var: STRING,
      http_headers: TEXTS,
      env_http_headers: TEXTS,
      auth: ANY,
      experimental_environment: STRING,
      startup_timeout_sec: NUMBER,
      startup_timeout_ms: NUMBER,
      tool_timeout_sec: NUMBER,
      enabled: BOOLEAN,
      required: BOOLEAN,
      supports_parallel_tool_calls: BOOLEAN,
      default_tools_approval_mode: STRING,
      enabled_tools: STRINGS,
      disabled_tools: STRINGS,
      scopes: STRINGS,
      oauth: object({ client_id: STRING }),
      oauth_resource: STRING,
      name: STRING,
      tools: ANY,
    },
  },
  /** geminicli.com/docs/tools/mcp-server, and `settings-validation` and the extension's schema in google-gemini/gemini-cli. */
  gemini: {
    isComplete: true,
    keys: {
      ...PROGRAM,
      cwd: STRING,
      type: oneOf('stdio', 'sse', 'http'),
      url: STRING,
      httpUrl: STRING,
      tcp: STRING,
      headers: TEXTS,
      timeout: NUMBER,
      trust: BOOLEAN,
      description: STRING,
      includeTools: STRINGS,
      excludeTools: STRINGS,
      extension: ANY,
      extensionName: STRING,
      oauth: object({
        enabled: BOOLEAN,
        clientId: STRING,
        clientSecret: STRING,
        authorizationUrl: STRING,
        tokenUrl: STRING,
        issuer: STRING,
        scopes: STRINGS,
        audiences: STRINGS,
        redirectUri: STRING,
        tokenParamName: STRING,
        registrationUrl: STRING,
      }),
      authProviderType: oneOf('dynamic_discovery', 'google_credentials', 'service_account_impersonation'),
      targetAudience: STRING,
      targetServiceAccount: STRING,
    },
  },
  /** zed.dev/docs/ai/mcp, and `ContextServerSettingsContent` in zed-industries/zed; `source` and an object are older. */
  zed: {
    isComplete: true,
    keys: {
      ...PROGRAM,
      command: ANY,
      enabled: BOOLEAN,
      remote: BOOLEAN,
      timeout: NUMBER,
      url: STRING,
      headers: TEXTS,
      oauth: object({ client_id: STRING, client_secret: STRING }),
      settings: ANY,
      source: STRING,
    },
  },
  /** jetbrains.com/help/junie/model-context-protocol-mcp.html, which shows an example. */
  jetbrains: { isComplete: false, keys: PROGRAM },
};
