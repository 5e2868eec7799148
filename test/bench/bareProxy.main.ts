// What any proxy on node:http costs at least: it passes requests on to the port that it is given, and does nothing else.
import { Agent, createServer, request } from 'node:http';
import { listenOnLoopback } from '../servers/loopback.ts';
import { answerUsage, tell } from './meter.ts';

const upstreamPort = Number(process.argv[2]);
const agent = new Agent({ keepAlive: true });

const server = createServer((incoming, response) => {
  const { method, url: path, headers } = incoming;
  const outgoing = request({ host: '127.0.0.1', port: upstreamPort, agent, method, path, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  outgoing.on('error', () => response.destroy());
  response.on('close', () => outgoing.destroy());
  incoming.pipe(outgoing);
});
server.keepAliveTimeout = 60_000;
answerUsage();
const { port } = new URL(await listenOnLoopback(server));
tell({ type: 'ready', port: Number(port) });
