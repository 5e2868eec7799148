import type { ScopedMcpServerOptions } from '../../servers/scopedMcpServer.ts';

/** Seed 002: `init` for everything but the tools, which need `mcp:tools:read` and nothing else. */
export const perOperation: Omit<ScopedMcpServerOptions, 'transport'> = {
  scopeOf: (operation) => (operation.startsWith('tools/') ? 'mcp:tools:read' : 'init'),
  tools: ['read'],
  challengesFirst: true,
};

/** Each tool needs the scope of its name, and nothing else needs any. */
export const perTool: Omit<ScopedMcpServerOptions, 'transport'> = {
  scopeOf: (operation) => /^tools\/call (.+)$/.exec(operation)?.[1],
  tools: ['a', 'b', 'c', 'd', 'e'],
  challengesFirst: false,
};
