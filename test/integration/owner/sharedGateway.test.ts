import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GatewayService } from '../../../src/gateway/gatewayService.ts';
import type { LocalAccess } from '../../../src/gateway/localAccess.ts';
import { ownerAndGuest } from './windows.ts';

/** Waits until the accesses are as wanted, as the window sees them. */
async function untilAccesses(
  gateway: GatewayService,
  test: (accesses: readonly LocalAccess[]) => boolean,
): Promise<readonly LocalAccess[]> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (!test(gateway.accesses)) return;
      changes.dispose();
      resolve(gateway.accesses);
    };
    const changes = gateway.onDidChangeAccesses(look);
    look();
  });
}

describe('the gateway in a guest', () => {
  it('P43 does everything that the owner’s can, and shows who has access there', async (t) => {
    const { owner, guest, id } = await ownerAndGuest(t);
    const slug = owner.connections.get(id)?.slug ?? '';
    const url = await guest.gateway.gatewayUrl(id);
    assert.match(url, new RegExp(String.raw`^http://127\.0\.0\.1:\d+/${slug}/mcp$`));
    assert.equal(url, await owner.gateway.gatewayUrl(id));
    assert.deepEqual(await guest.gateway.tools(id), await owner.gateway.tools(id));

    const token = await guest.gateway.createToken({
      label: 'Mine',
      connection: id,
      allowedTools: ['a'],
      lifetimeMs: 3_600_000,
    });
    assert.ok(token.length > 10);
    assert.deepEqual(guest.gateway.accesses, owner.gateway.accesses);
    const [access] = guest.gateway.accesses;
    assert.ok(access !== undefined);
    assert.deepEqual([access.label, access.connection, access.allowedTools], ['Mine', id, ['a']]);
    await guest.gateway.changeTools(access.id, '*');
    assert.equal(owner.gateway.accesses[0]?.allowedTools, '*');
    assert.equal(guest.gateway.accesses[0]?.allowedTools, '*');

    const agent = await guest.gateway.editorToken(id, { type: 'agent' });
    assert.equal(await owner.gateway.editorToken(id, { type: 'agent' }), agent);
    const extension = await guest.gateway.editorToken(id, { type: 'extension', extensionId: 'a.b' });
    assert.notEqual(extension, agent);
    assert.equal(guest.gateway.accesses.length, 3);
    await guest.gateway.revoke(guest.gateway.accesses.map((each) => each.id));
    assert.deepEqual([guest.gateway.accesses, owner.gateway.accesses], [[], []]);
  });

  it('hears why the owner’s could not, as an error of ours', async (t) => {
    const { guest } = await ownerAndGuest(t);
    const unknown = { code: 'connection_unknown', details: { id: 'none' } };
    await assert.rejects(guest.gateway.gatewayUrl('none'), unknown);
    await assert.rejects(guest.gateway.tools('none'), unknown);
    await assert.rejects(guest.gateway.editorToken('none', { type: 'agent' }), unknown);
  });

  it('is told of each change in the owner, and what there was before it came', async (t) => {
    const { owner, guest, id, open } = await ownerAndGuest(t);
    await owner.gateway.createToken({ label: 'First', connection: id, allowedTools: '*' });
    assert.equal((await untilAccesses(guest.gateway, ({ length }) => length === 1))[0]?.label, 'First');
    const late = open('late');
    await late.role.look();
    assert.deepEqual(late.gateway.accesses, owner.gateway.accesses);
    await owner.gateway.revoke(owner.gateway.accesses.map((each) => each.id));
    await untilAccesses(late.gateway, ({ length }) => length === 0);
  });

  it('ends the accesses of a connection that is removed, wherever that is done', async (t) => {
    const { owner, guest, id } = await ownerAndGuest(t);
    const { id: other } = await owner.connections.add('https://second.example/mcp');
    await guest.gateway.createToken({ label: 'One', connection: id, allowedTools: '*' });
    await guest.gateway.createToken({ label: 'Other', connection: other, allowedTools: '*' });
    await guest.connections.remove(id);
    const left = await untilAccesses(guest.gateway, ({ length }) => length === 1);
    assert.equal(left[0]?.label, 'Other');
  });
});
