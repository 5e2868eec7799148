import type { ClientId } from '../../../src/mcpConfig/configClient.ts';

/** A file as people have it, and the names of the servers in it. */
export interface FileShape {
  readonly title: string;
  readonly client: ClientId;
  readonly text: string;
  readonly servers: readonly string[];
}

/** Files of each client, in the shapes that their documentation shows and that are met with. */
export const fileShapes: readonly FileShape[] = [
  {
    title: 'VS Code with comments, inputs and commas after the last',
    client: 'vscode',
    servers: ['github', 'Fetch it'],
    text: `{
	// What the servers ask for
	"inputs": [
		{ "type": "promptString", "id": "github-token", "description": "GitHub token", "password": true },
	],
	"servers": {
		"github": {
			"type": "http", // Streamable HTTP
			"url": "https://api.githubcopilot.com/mcp/",
			"headers": { "Authorization": "Bearer \${input:github-token}" }
		},
		/* started here */
		"Fetch it": { "type": "stdio", "command": "uvx", "args": ["mcp-server-fetch"] }, // the last one
	},
}
`,
  },
  {
    title: 'Claude Code with its state and servers of single folders',
    client: 'claude-code',
    servers: ['sentry'],
    text: `{
  "numStartups": 41,
  "projects": {
    "/home/me/site": {
      "allowedTools": [],
      "mcpServers": { "sentry": { "type": "http", "url": "https://elsewhere.example/mcp" } },
      "hasTrustDialogAccepted": true
    }
  },
  "mcpServers": {
    "sentry": {
      "type": "http",
      "url": "https://mcp.sentry.dev/mcp"
    }
  },
  "oauthAccount": { "emailAddress": "me@example.com" }
}`,
  },
  {
    title: 'Claude Desktop with a preference and a server that it starts',
    client: 'claude-desktop',
    servers: ['filesystem'],
    text: `{
    "mcpServers": {
        "filesystem": {
            "command": "npx",
            "args": [
                "-y",
                "@modelcontextprotocol/server-filesystem",
                "/Users/me/Desktop"
            ]
        }
    },
    "preferences": { "menuBarEnabled": false }
}
`,
  },
  {
    title: 'Cursor, on one line',
    client: 'cursor',
    servers: ['linear', 'local'],
    text: '{"mcpServers":{"linear":{"url":"https://mcp.linear.app/mcp"},"local":{"command":"node","args":["a.js"]}}}',
  },
  {
    title: 'Windsurf, with the line ends of Windows',
    client: 'windsurf',
    servers: ['notes'],
    text: '{\r\n  "mcpServers": {\r\n    "notes": {\r\n      "serverUrl": "https://notes.example/mcp",\r\n      "headers": { "X-Key": "${env:KEY}" }\r\n    }\r\n  }\r\n}\r\n',
  },
  {
    title: 'Codex with other settings, quoted names and tables below tables',
    client: 'codex',
    servers: ['docs', 'my server', 'figma'],
    text: `model = "gpt-5" # the default
notify = [
  "say", # not [mcp_servers.fake]
  "done",
]

[mcp_servers.docs]
command = "npx"
args = ["-y", "docs-mcp"]
[mcp_servers.docs.env]
NOTE = """
[mcp_servers.not_this]
url = "https://not.example"
"""

# Two words
[mcp_servers."my server"]
url = "https://one.example/mcp" # hosted
http_headers = { "X-Team" = "a", "X-Other" = 'b' }

[projects."/home/me/site"]
trust_level = "trusted"

[mcp_servers.figma]
url = "https://mcp.figma.com/mcp"
`,
  },
  {
    title: 'Codex with all servers below one header',
    client: 'codex',
    servers: ['a', 'b'],
    text: '[mcp_servers]\na = { url = "https://a.example/mcp" }\nb.command = "b"\nb.args = []\n',
  },
  {
    title: 'Gemini CLI with other settings',
    client: 'gemini',
    servers: ['remote'],
    text: `{
  "selectedAuthType": "oauth-personal", // kept
  "mcpServers": {
    "remote": { "httpUrl": "https://remote.example/mcp", "timeout": 5000 }
  },
  "theme": "Dracula"
}
`,
  },
  {
    title: 'Zed, settings with comments before the first brace',
    client: 'zed',
    servers: ['local-mcp-server'],
    text: `// Zed settings
//
// For information on how to configure Zed, see the Zed documentation
{
  "theme": { "mode": "system" },
  "context_servers": {
    "local-mcp-server": {
      "source": "custom",
      "command": "some-command",
      "args": ["arg-1"],
      "env": {},
    },
  },
  "vim_mode": true,
}
`,
  },
  {
    title: 'JetBrains Junie',
    client: 'jetbrains',
    servers: ['Time'],
    text: '{\n  "mcpServers": {\n    "Time": {\n      "command": "uvx",\n      "args": ["mcp-server-time"]\n    }\n  }\n}',
  },
];
