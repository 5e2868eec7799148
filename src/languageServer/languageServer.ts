// The language server for the configuration files of MCP clients: a process of its own, which the extension starts.
import { createConnection, ProposedFeatures } from 'vscode-languageserver/node';
import { LanguageServer } from './server.ts';

new LanguageServer(createConnection(ProposedFeatures.all)).listen();
