import assert from 'node:assert/strict';
import * as vscode from 'vscode';
import type { PublicConnection } from '../../src/vscode/api.ts';
import { type SampleServer, startSampleServer } from '../sample/sampleServer.ts';
import { connect } from './connecting.ts';
import type { Probe } from './probe/probe.main.ts';
import { scopekeeper, theProbe } from './theProbe.ts';

export interface ConnectedSample {
  readonly probe: Probe;
  readonly sample: SampleServer;
  readonly connection: PublicConnection;
  /** At the gateway. */
  readonly url: string;
}

/** Starts a sample server, and connects it as a person does. */
export async function connectSample(): Promise<ConnectedSample> {
  const [probe, api, sample] = await Promise.all([
    theProbe(),
    scopekeeper(),
    startSampleServer({ accessTokenTtlSeconds: 3600 }),
  ]);
  await connect(probe, sample);
  const connection = api.connections().find(({ serverUrl }) => serverUrl === sample.mcpUrl);
  assert.ok(connection);
  await vscode.commands.executeCommand('scopekeeper.copyGatewayUrl', connection.id);
  return { probe, sample, connection, url: await vscode.env.clipboard.readText() };
}
