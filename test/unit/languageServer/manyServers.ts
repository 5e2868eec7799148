/** A file of 2 MB with 5,000 servers, as Cursor has them; of what a finding is, there is none. */
export function manyServers(count = 5000): string {
  const servers = Array.from({ length: count }, (_, index) => [
    `server-${index}`,
    {
      url: `https://mcp${index}.example.com/mcp`,
      headers: { Authorization: `Bearer \${env:TOKEN_${index}}`, 'X-Team': `team-${index}`.padEnd(60, 'x') },
      env: { NOTE: `note-${index}`.padEnd(150, 'y') },
    },
  ]);
  return JSON.stringify({ mcpServers: Object.fromEntries(servers) }, undefined, 2);
}

/** The same for Codex. */
export function manyTables(count = 5000): string {
  return Array.from(
    { length: count },
    (_, index) => `[mcp_servers.server-${index}]
url = "https://mcp${index}.example.com/mcp"
bearer_token_env_var = "TOKEN_${index}"
startup_timeout_sec = 10
http_headers = { "X-Team" = "${`team-${index}`.padEnd(60, 'x')}" }
[mcp_servers.server-${index}.tools]
note = "${`note-${index}`.padEnd(190, 'y')}"
`,
  ).join('\n');
}
