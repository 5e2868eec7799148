// What our token manager is compared with: a client that reads its tokens from a file, refreshes, and writes the
// answer back, as is done everywhere. node naive.main.mjs FILE; told by the messages of messages.ts.
import { readFile, writeFile } from 'node:fs/promises';
import * as v from 'valibot';
import { orderSchema, type Report } from './messages.ts';

const [file = ''] = process.argv.slice(2);
const where = v.pipe(v.string(), v.parseJson(), v.object({ tokenEndpoint: v.string(), clientId: v.string() }));
const stored = v.pipe(v.string(), v.parseJson(), v.looseObject({ refresh_token: v.string() }));

function tell(report: Report): void {
  process.send?.(report);
}

async function refresh(id: string): Promise<void> {
  const { clientId, tokenEndpoint } = v.parse(where, id);
  const { refresh_token } = v.parse(stored, await readFile(file, 'utf8'));
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token };
  const answer = await fetch(tokenEndpoint, { method: 'POST', body: new URLSearchParams(form) });
  if (!answer.ok) throw new Error(`the server says ${answer.status}`);
  await writeFile(file, await answer.text());
  tell({ type: 'done', id });
}

process.on('message', (message) => {
  const order = v.parse(orderSchema, message);
  if (order.type !== 'refresh') return;
  refresh(order.id).catch((error: unknown) => tell({ type: 'failed', code: String(error) }));
});
process.on('disconnect', () => process.exit());
tell({ type: 'ready' });
