import { CLIENT_IDS, type ClientId, type ConfigClient } from './configClient.ts';
import {
  atHome,
  bridgeEntry,
  inWorkspace,
  joinPath,
  roamingFolder,
  variableHeader,
  withHeaders,
} from './clientShapes.ts';

/**
 * How each client is told of a remote MCP server. The sources are public documentation as of November 2026; what was
 * tried with the real client is said.
 *
 * All of them sign in by OAuth by themselves, or by the bridge that they need, when the entry has a URL and no header:
 * so that is what is written, and a token only where the person wants one.
 */
const table: Readonly<Record<ClientId, ConfigClient>> = {
  /** code.visualstudio.com/docs/agents/reference/mcp-configuration: `servers`, `inputs`, `--add-mcp`. JSON as in its settings. */
  vscode: {
    id: 'vscode',
    name: 'VS Code',
    syntax: 'jsonc',
    serversKey: 'servers',
    files: (environment) => {
      const folder = environment.editorUserFolder ?? joinPath(environment, roamingFolder(environment), 'Code', 'User');
      return [
        { scope: 'user', path: joinPath(environment, folder, 'mcp.json'), evidence: folder },
        ...inWorkspace(environment, folder, '.vscode', 'mcp.json'),
      ];
    },
    entry: ({ url, access }) => withHeaders({ type: 'http', url }, access, (id) => `Bearer \${input:${id}}`),
    tokenPlace: { type: 'input' },
    command: (name, url) => ['code', '--add-mcp', JSON.stringify({ name, type: 'http', url })],
  },
  /**
   * code.claude.com/docs/en/mcp: scopes, `${VAR}` in `url` and `headers`. Tried with 2.1.197: connects to what is
   * written here, also by a variable in `~/.claude.json`; takes a file with a comment or a comma too many for broken.
   * `~/.claude.json` also holds its state, with servers of single folders below `projects`.
   */
  'claude-code': {
    id: 'claude-code',
    name: 'Claude Code',
    syntax: 'json',
    serversKey: 'mcpServers',
    foldersKey: 'projects',
    files: (environment) => [
      atHome(environment, ['.claude.json'], ['.claude.json']),
      ...inWorkspace(environment, joinPath(environment, environment.home, '.claude.json'), '.mcp.json'),
    ],
    entry: ({ url, access }) => withHeaders({ type: 'http', url }, access, (name) => `Bearer \${${name}}`),
    tokenPlace: { type: 'variable' },
    command: (name, url) => ['claude', 'mcp', 'add', '--transport', 'http', '--scope', 'user', name, url],
  },
  /**
   * support.claude.com, "Building custom connectors via remote MCP servers": it does not connect to remote servers that
   * this file names, and its connectors are reached from Anthropic's cloud, not from this computer. So it needs a
   * bridge. Its file takes stdio servers only (modelcontextprotocol.io, "Connect to local MCP servers", which also says
   * where the file is on macOS and Windows; that of the Linux build is not documented, nor whether a
   * build from the Microsoft Store sees the same folder).
   */
  'claude-desktop': {
    id: 'claude-desktop',
    name: 'Claude Desktop',
    syntax: 'jsonc',
    serversKey: 'mcpServers',
    files: (environment) => {
      const folder = joinPath(environment, roamingFolder(environment), 'Claude');
      return [{ scope: 'user', path: joinPath(environment, folder, 'claude_desktop_config.json'), evidence: folder }];
    },
    entry: bridgeEntry,
    tokenPlace: { type: 'file' },
  },
  /**
   * cursor.com/docs/mcp: both files, `url`, OAuth. No token: zuplo.com/learn/mcp/compatibility/clients/cursor reports
   * that it ignores headers at a server that answers OAuth discovery, as ours does.
   */
  cursor: {
    id: 'cursor',
    name: 'Cursor',
    syntax: 'jsonc',
    serversKey: 'mcpServers',
    files: (environment) => [
      atHome(environment, ['.cursor', 'mcp.json'], ['.cursor']),
      ...inWorkspace(environment, joinPath(environment, environment.home, '.cursor'), '.cursor', 'mcp.json'),
    ],
    entry: ({ url }) => ({ url }),
  },
  /**
   * docs.devin.ai/desktop/cascade/mcp: `serverUrl`, `${env:VAR}`, OAuth. That is the Cascade agent of Windsurf, which is
   * called Devin Desktop now; its newer agent, Devin Local, has files of its own, which are not known here.
   */
  windsurf: {
    id: 'windsurf',
    name: 'Windsurf',
    syntax: 'jsonc',
    serversKey: 'mcpServers',
    files: (environment) => [
      atHome(environment, ['.codeium', 'windsurf', 'mcp_config.json'], ['.codeium', 'windsurf']),
    ],
    entry: ({ url, access }) => withHeaders({ serverUrl: url }, access, variableHeader),
    tokenPlace: { type: 'variable' },
  },
  /**
   * developers.openai.com/codex/mcp: `url`, `bearer_token_env_var` (a token in the file is refused), `codex mcp login`.
   * A file in a workspace counts where the person trusts the folder. Tried with 0.169.0: lists what is written here,
   * and asks the server how to sign in.
   */
  codex: {
    id: 'codex',
    name: 'Codex',
    syntax: 'toml',
    serversKey: 'mcp_servers',
    files: (environment) => {
      const folder = environment.codexHome ?? joinPath(environment, environment.home, '.codex');
      return [
        { scope: 'user', path: joinPath(environment, folder, 'config.toml'), evidence: folder },
        ...inWorkspace(environment, folder, '.codex', 'config.toml'),
      ];
    },
    entry: ({ url, access }) => (access.type === 'variable' ? { url, bearer_token_env_var: access.variable } : { url }),
    tokenPlace: { type: 'variable' },
    command: (name, url) => ['codex', 'mcp', 'add', name, '--url', url],
  },
  /**
   * geminicli.com/docs/tools/mcp-server: `httpUrl` is Streamable HTTP (`url` without a type the older SSE), `${VAR}`,
   * OAuth by discovery. Tried with 0.61.0: connects to what is written here, also by a variable; takes comments, and no
   * comma too many. In a folder that is not trusted it uses none of its servers.
   */
  gemini: {
    id: 'gemini',
    name: 'Gemini CLI',
    syntax: 'json-with-comments',
    serversKey: 'mcpServers',
    files: (environment) => [
      atHome(environment, ['.gemini', 'settings.json'], ['.gemini']),
      ...inWorkspace(environment, joinPath(environment, environment.home, '.gemini'), '.gemini', 'settings.json'),
    ],
    entry: ({ url, access }) => withHeaders({ httpUrl: url }, access, (name) => `Bearer \${${name}}`),
    tokenPlace: { type: 'variable' },
    command: (name, url) => ['gemini', 'mcp', 'add', '--scope', 'user', '--transport', 'http', name, url],
  },
  /** zed.dev/docs/ai/mcp: `url`, and OAuth unless there is an Authorization header. It names no
   * variables in headers. */
  zed: {
    id: 'zed',
    name: 'Zed',
    syntax: 'jsonc',
    serversKey: 'context_servers',
    files: (environment) => {
      const base =
        environment.platform === 'darwin'
          ? joinPath(environment, environment.home, '.config')
          : roamingFolder(environment);
      const folder = joinPath(environment, base, environment.platform === 'win32' ? 'Zed' : 'zed');
      return [
        { scope: 'user', path: joinPath(environment, folder, 'settings.json'), evidence: folder },
        ...inWorkspace(environment, folder, '.zed', 'settings.json'),
      ];
    },
    entry: ({ url, access }) => withHeaders({ url }, access),
    tokenPlace: { type: 'file' },
  },
  /**
   * Junie's file, by jetbrains.com/help/junie/model-context-protocol-mcp.html, which takes stdio servers only, hence the
   * bridge. AI Assistant keeps its servers in the settings of the IDE, where the same lines can be pasted
   * (jetbrains.com/help/ai-assistant/mcp.html; whether it signs in at a URL is not documented, so it gets the bridge too).
   */
  jetbrains: {
    id: 'jetbrains',
    name: 'JetBrains',
    syntax: 'jsonc',
    serversKey: 'mcpServers',
    files: (environment) => [
      atHome(environment, ['.junie', 'mcp', 'mcp.json'], ['.junie']),
      ...inWorkspace(environment, joinPath(environment, environment.home, '.junie'), '.junie', 'mcp', 'mcp.json'),
    ],
    entry: bridgeEntry,
    tokenPlace: { type: 'file' },
  },
};

/** All clients that we know, in the order in which they are shown. */
export const configClients: readonly ConfigClient[] = CLIENT_IDS.map((id) => table[id]);
