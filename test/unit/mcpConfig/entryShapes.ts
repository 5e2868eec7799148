import type { ClientId } from '../../../src/mcpConfig/configClient.ts';
import type { EntryToken } from '../../../src/mcpConfig/entryTokens.ts';

export const GATEWAY_URL = 'http://127.0.0.1:41999/sample/mcp';

/** An entry named `it` as people have it, what is in it, and what it is once it is routed through the gateway. */
export interface EntryShape {
  readonly title: string;
  readonly client: ClientId;
  readonly text: string;
  /** Undefined for a server that the client starts. */
  readonly url?: string;
  readonly isBridged?: boolean;
  readonly hasReference?: boolean;
  readonly tokens?: readonly (Pick<EntryToken, 'token' | 'place' | 'canMove'> & { readonly path: string })[];
  readonly routed?: string;
}

const url = 'https://it.example/mcp';
const T = 'sk-live-0123456789';
const bearer = (path: string) => ({ token: T, place: 'authorization', canMove: true, path }) as const;

export const entryShapes: readonly EntryShape[] = [
  {
    title: 'VS Code with a token, comments and a comma after the last',
    client: 'vscode',
    text: `{
	"servers": {
		// ours
		"it": {
			"type": "http", // Streamable HTTP
			"url": "${url}",
			"headers": {
				"Authorization": "Bearer ${T}", // to be moved
				"X-Team": "a",
			},
			"oauth": { "clientId": "abc" },
		},
		"other": { "url": "${url}", "headers": { "Authorization": "Bearer \${input:x}" } },
	},
}
`,
    url,
    tokens: [bearer('headers.Authorization')],
    routed: `{
	"servers": {
		// ours
		"it": {
			"type": "http", // Streamable HTTP
			"url": "${GATEWAY_URL}",
			"headers": {
				// to be moved
				"X-Team": "a",
			},
		},
		"other": { "url": "${url}", "headers": { "Authorization": "Bearer \${input:x}" } },
	},
}
`,
  },
  {
    title: 'VS Code with an input, which is no token in the file',
    client: 'vscode',
    text: `{ "servers": { "it": { "url": "${url}", "headers": { "Authorization": "Bearer \${input:it}" } } } }`,
    url,
    routed: `{ "servers": { "it": { "url": "${GATEWAY_URL}" } } }`,
  },
  {
    title: 'Claude Code with a token for its key header, which goes through the gateway',
    client: 'claude-code',
    text: `{"mcpServers":{"it":{"type":"sse","url":"${url}","headers":{"X-API-Key":"${T}","authorization":"Bearer \${IT}"}}}}`,
    url,
    tokens: [{ token: T, place: 'header', canMove: false, path: 'headers.X-API-Key' }],
    routed: `{"mcpServers":{"it":{"type":"sse","url":"${GATEWAY_URL}","headers":{"X-API-Key":"${T}"}}}}`,
  },
  {
    title: 'Claude Code with a URL from a variable',
    client: 'claude-code',
    text: '{ "mcpServers": { "it": { "type": "http", "url": "${BASE:-https://it.example}/mcp" } } }',
    url: '${BASE:-https://it.example}/mcp',
    hasReference: true,
  },
  {
    title: 'Cursor with a token in the URL',
    client: 'cursor',
    text: `{ "mcpServers": { "it": { "url": "${url}?team=a&api_key=${T}", "auth": { "CLIENT_ID": "x" } } } }`,
    url: `${url}?team=a&api_key=${T}`,
    tokens: [{ token: T, place: 'query', canMove: true, path: 'url' }],
    routed: `{ "mcpServers": { "it": { "url": "${GATEWAY_URL}" } } }`,
  },
  {
    title: 'Cursor with Basic, which is no bearer token',
    client: 'cursor',
    text: `{ "mcpServers": { "it": { "url": "${url}", "headers": { "Authorization": "Basic ${T}" } } } }`,
    url,
    tokens: [{ token: T, place: 'authorization', canMove: false, path: 'headers.Authorization' }],
  },
  {
    title: 'Windsurf with an example for a token, and a name in the URL',
    client: 'windsurf',
    text: '{ "mcpServers": { "it": { "serverUrl": "https://me:secret1@it.example/mcp", "headers": { "Authorization": "Bearer <YOUR_TOKEN>" } } } }',
    url: 'https://me:secret1@it.example/mcp',
    tokens: [{ token: 'secret1', place: 'user_information', canMove: false, path: 'serverUrl' }],
    routed: `{ "mcpServers": { "it": { "serverUrl": "${GATEWAY_URL}" } } }`,
  },
  {
    title: 'Gemini CLI with its bare variable',
    client: 'gemini',
    text: `{ "mcpServers": { "it": { "httpUrl": "${url}", "url": "https://old.example/sse", "headers": { "Authorization": "Bearer $IT" }, "timeout": 5000, "oauth": { "enabled": true } } } }`,
    url,
    routed: `{ "mcpServers": { "it": { "httpUrl": "${GATEWAY_URL}", "url": "https://old.example/sse", "timeout": 5000 } } }`,
  },
  {
    title: 'Zed with a token',
    client: 'zed',
    text: `// Zed\n{\n  "context_servers": {\n    "it": {\n      "url": "${url}",\n      "headers": { "Authorization": "Bearer ${T}" },\n    },\n  },\n}\n`,
    url,
    tokens: [bearer('headers.Authorization')],
    routed: `// Zed\n{\n  "context_servers": {\n    "it": {\n      "url": "${GATEWAY_URL}",\n    },\n  },\n}\n`,
  },
  {
    title: 'Zed as it was, with a bridge below the command',
    client: 'zed',
    text: `{ "context_servers": { "it": { "source": "custom", "command": { "path": "npx", "args": ["mcp-remote", "${url}"] } } } }`,
    url,
    isBridged: true,
    routed: `{ "context_servers": { "it": { "source": "custom", "command": { "path": "npx", "args": ["mcp-remote", "${GATEWAY_URL}"] } } } }`,
  },
  {
    title: 'Claude Desktop with a bridge that has a token in its environment',
    client: 'claude-desktop',
    text: `{
  "mcpServers": {
    "it": {
      "command": "npx",
      "args": [
        "-y",
        "mcp-remote@latest",
        "${url}",
        "--header",
        "Authorization:\${AUTH}",
        "--transport",
        "http-only"
      ],
      "env": {
        "AUTH": "Bearer ${T}"
      }
    }
  }
}
`,
    url,
    isBridged: true,
    tokens: [bearer('env.AUTH')],
    routed: `{
  "mcpServers": {
    "it": {
      "command": "npx",
      "args": [
        "-y",
        "mcp-remote@latest",
        "${GATEWAY_URL}",
        "--transport",
        "http-only"
      ]
    }
  }
}
`,
  },
  {
    title: 'JetBrains with a bridge on Windows, a token among its arguments, and a client of its own',
    client: 'jetbrains',
    text: `{"mcpServers":{"it":{"command":"cmd","args":["/c","npx","mcp-remote","${url}","--header","Authorization: Bearer ${T}","--header","X-Team: a","--static-oauth-client-info","{}"]}}}`,
    url,
    isBridged: true,
    tokens: [bearer('args.5')],
    routed: `{"mcpServers":{"it":{"command":"cmd","args":["/c","npx","mcp-remote","${GATEWAY_URL}","--header","X-Team: a"]}}}`,
  },
  {
    title: 'a bridge that is installed, and a variable for half of the header',
    client: 'claude-desktop',
    text: `{ "mcpServers": { "it": { "command": "/usr/bin/mcp-remote", "args": ["${url}", "--header", "Authorization: Bearer \${AUTH}"], "env": { "AUTH": "${T}", "B": "c" } } } }`,
    url,
    isBridged: true,
    tokens: [bearer('env.AUTH')],
    routed: `{ "mcpServers": { "it": { "command": "/usr/bin/mcp-remote", "args": ["${GATEWAY_URL}"], "env": { "B": "c" } } } }`,
  },
  {
    title: 'another program that is given a URL',
    client: 'claude-desktop',
    text: `{ "mcpServers": { "it": { "command": "npx", "args": ["-y", "fetcher", "${url}"], "env": { "API_TOKEN": "${T}" } } } }`,
  },
  {
    title: 'Codex with the token where the name of its variable should be',
    client: 'codex',
    text: `[mcp_servers.it]\nurl = "${url}" # hosted\nbearer_token_env_var = "${T}" # mine\nenabled = true\n\n[mcp_servers.other]\nurl = "${url}"\n`,
    url,
    tokens: [{ token: T, place: 'variable_name', canMove: true, path: 'bearer_token_env_var' }],
    routed: `[mcp_servers.it]\nurl = "${GATEWAY_URL}" # hosted\nenabled = true\n\n[mcp_servers.other]\nurl = "${url}"\n`,
  },
  {
    title: 'Codex with headers in a line',
    client: 'codex',
    text: `[mcp_servers.it]\nurl = '${url}'\nbearer_token_env_var = "IT_TOKEN"\nhttp_headers = { "X-Team" = "a", Authorization = "Bearer ${T}" } # two\n`,
    url,
    tokens: [bearer('http_headers.Authorization')],
    routed: `[mcp_servers.it]\nurl = "${GATEWAY_URL}"\nhttp_headers = { "X-Team" = "a" } # two\n`,
  },
  {
    title: 'Codex with headers in a table, and all in a line',
    client: 'codex',
    text: `[mcp_servers]\nit = { url = "${url}", http_headers = { Authorization = "Bearer ${T}" }, scopes = ["a", "b"] }\n`,
    url,
    tokens: [bearer('http_headers.Authorization')],
    routed: `[mcp_servers]\nit = { url = "${GATEWAY_URL}" }\n`,
  },
  {
    title: 'Codex with headers in a table of their own',
    client: 'codex',
    text: `[mcp_servers.it]\nurl = "${url}"\n\n[mcp_servers.it.http_headers]\nAuthorization = "Bearer ${T}"\n\n[other]\na = 1\n`,
    url,
    tokens: [bearer('http_headers.Authorization')],
    routed: `[mcp_servers.it]\nurl = "${GATEWAY_URL}"\n\n[other]\na = 1\n`,
  },
];
