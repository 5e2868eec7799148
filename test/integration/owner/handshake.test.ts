import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import type { ByteReader } from '../../../src/owner/byteReader.ts';
import { type HandshakeOutcome, proveAsGuest, proveAsOwner } from '../../../src/owner/handshake.ts';

import { socketPair } from './socketPair.ts';

const KEY = Buffer.alloc(32, 1);
const PORT = 4000;
const VERSION = 3;
const OPTIONS = { port: PORT, version: VERSION, answerTimeoutMs: 150 };

async function read(reader: ByteReader, length: number): Promise<Buffer> {
  return (await reader.read(length)) ?? assert.fail('the connection ended');
}

interface Claim {
  readonly role?: string;
  readonly key?: Buffer;
  readonly port?: number;
  readonly guestVersion?: number;
  readonly ownerVersion?: number;
  readonly ownerNonce: Buffer;
  readonly guestNonce: Buffer;
}

/** The proof as the protocol has it, written down a second time: a change of it would part windows of two versions. */
function proof({
  role = 'guest',
  key = KEY,
  port = PORT,
  guestVersion = VERSION,
  ownerVersion = 0,
  ...nonces
}: Claim): Buffer {
  const numbers = Buffer.from([
    port >> 8,
    port & 255,
    guestVersion >> 8,
    guestVersion & 255,
    ownerVersion >> 8,
    ownerVersion & 255,
  ]);
  const text = Buffer.from(`scopekeeper window handshake 1\0${role}\0`);
  return createHmac('sha256', key)
    .update(Buffer.concat([text, nonces.ownerNonce, nonces.guestNonce, numbers]))
    .digest();
}

function numbered(version: number, ...parts: Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([version >> 8, version & 255]), ...parts]);
}

describe('the handshake', () => {
  it('proves each to the other, and tells the versions', async (t) => {
    const { owner, guest } = await socketPair(t);
    const outcomes = await Promise.all([
      proveAsOwner(owner, [Buffer.alloc(32, 9), KEY], { ...OPTIONS, version: 7 }),
      proveAsGuest(guest, async () => KEY, OPTIONS),
    ]);
    assert.deepEqual(outcomes, [
      { type: 'proved', version: VERSION },
      { type: 'proved', version: 7 },
    ]);
  });

  it('is what it was in the first version, to the byte', async (t) => {
    const { owner, guest } = await socketPair(t);
    const outcome = proveAsOwner(owner, [KEY], { ...OPTIONS, version: 7 });
    const ownerNonce = await read(guest, 32);
    const guestNonce = randomBytes(32);
    guest.stream.write(numbered(VERSION, guestNonce, proof({ ownerNonce, guestNonce })));
    const answer = await read(guest, 34);
    assert.deepEqual(answer, numbered(7, proof({ role: 'owner', ownerVersion: 7, ownerNonce, guestNonce })));
    assert.deepEqual(await outcome, { type: 'proved', version: VERSION });
  });

  /** What a guest that is none sends when it has the owner's nonce, and what the owner makes of it. */
  const guests: readonly (readonly [
    string,
    (ownerNonce: Buffer, guestNonce: Buffer) => Buffer,
    HandshakeOutcome['type'],
  ])[] = [
    [
      'with another key',
      (ownerNonce, guestNonce) => numbered(3, guestNonce, proof({ key: Buffer.alloc(32, 2), ownerNonce, guestNonce })),
      'refused',
    ],
    ['with no key', (_, guestNonce) => numbered(3, guestNonce, Buffer.alloc(32)), 'refused'],
    [
      'that replays a proof for another nonce',
      (_, guestNonce) => numbered(3, guestNonce, proof({ ownerNonce: Buffer.alloc(32, 5), guestNonce })),
      'refused',
    ],
    [
      'that takes the owner’s role',
      (ownerNonce, guestNonce) => numbered(3, guestNonce, proof({ role: 'owner', ownerNonce, guestNonce })),
      'refused',
    ],
    [
      'that means another port',
      (ownerNonce, guestNonce) => numbered(3, guestNonce, proof({ port: 4001, ownerNonce, guestNonce })),
      'refused',
    ],
    [
      'whose version was changed on the way',
      (ownerNonce, guestNonce) => numbered(4, guestNonce, proof({ ownerNonce, guestNonce })),
      'refused',
    ],
    [
      'whose nonce was changed on the way',
      (ownerNonce, guestNonce) => numbered(3, randomBytes(32), proof({ ownerNonce, guestNonce })),
      'refused',
    ],
    [
      'that stops in the middle',
      (ownerNonce, guestNonce) => numbered(3, guestNonce, proof({ ownerNonce, guestNonce })).subarray(0, 65),
      'closed',
    ],
    ['that says nothing and goes', () => Buffer.alloc(0), 'closed'],
    ['that sends garbage', () => randomBytes(66), 'refused'],
    ['that sends a megabyte', () => randomBytes(1024 * 1024), 'refused'],
    [
      'that goes on before the owner has proved itself',
      (ownerNonce, guestNonce) =>
        Buffer.concat([numbered(3, guestNonce, proof({ ownerNonce, guestNonce })), Buffer.from('{}')]),
      'refused',
    ],
  ];
  for (const [what, hello, expected] of guests) {
    it(`gives a guest ${what} nothing but the nonce`, async (t) => {
      const { owner, guest } = await socketPair(t);
      const outcome = proveAsOwner(owner, [KEY], OPTIONS);
      const ownerNonce = await read(guest, 32);
      guest.stream.end(hello(ownerNonce, randomBytes(32)));
      assert.equal((await outcome).type, expected);
      owner.stream.end();
      assert.equal(await guest.read(1), undefined);
    });
  }

  it('does not wait for a guest that is slow', async (t) => {
    const { owner, guest } = await socketPair(t);
    const outcome = proveAsOwner(owner, [KEY], OPTIONS);
    await read(guest, 32);
    guest.stream.write(Buffer.alloc(65));
    assert.deepEqual(await outcome, { type: 'refused' });
    assert.equal(owner.stream.destroyed, true);
  });

  /** What an owner that is none answers to a guest's proof. */
  const owners: readonly (readonly [string, (claim: Claim) => Buffer, HandshakeOutcome['type']])[] = [
    [
      'with another key',
      (claim) => numbered(3, proof({ ...claim, role: 'owner', ownerVersion: 3, key: Buffer.alloc(32, 2) })),
      'refused',
    ],
    ['that gives the guest its own proof back', (claim) => numbered(3, proof(claim)), 'refused'],
    [
      'that is on another port, behind a relay',
      (claim) => numbered(3, proof({ ...claim, role: 'owner', ownerVersion: 3, port: 4001 })),
      'refused',
    ],
    [
      'that replays what was for another nonce',
      (claim) => numbered(3, proof({ ...claim, role: 'owner', ownerVersion: 3, guestNonce: Buffer.alloc(32, 5) })),
      'refused',
    ],
    [
      'whose version was changed on the way',
      (claim) => numbered(2, proof({ ...claim, role: 'owner', ownerVersion: 3 })),
      'refused',
    ],
    ['that sends garbage', () => randomBytes(34), 'refused'],
    ['that sends a megabyte', () => randomBytes(1024 * 1024), 'refused'],
    ['that stops in the middle', () => Buffer.alloc(33), 'closed'],
  ];
  for (const [what, answer, expected] of owners) {
    it(`makes a guest leave an owner ${what}, having sent nothing but its proof`, async (t) => {
      const { owner, guest } = await socketPair(t);
      const outcome = proveAsGuest(guest, async () => KEY, OPTIONS);
      const ownerNonce = randomBytes(32);
      owner.stream.write(ownerNonce);
      const hello = await read(owner, 66);
      owner.stream.end(answer({ ownerNonce, guestNonce: hello.subarray(2, 34) }));
      assert.equal((await outcome).type, expected);
      guest.stream.end();
      assert.equal(await owner.read(1), undefined);
    });
  }

  it('does not wait for an owner that does not answer', async (t) => {
    const { owner, guest } = await socketPair(t);
    const outcome = proveAsGuest(guest, async () => KEY, OPTIONS);
    owner.stream.write(randomBytes(32));
    assert.deepEqual(await outcome, { type: 'refused' });
  });

  it('does not wait for ever for an owner to have its key', async (t) => {
    const { guest } = await socketPair(t);
    const outcome = proveAsGuest(guest, async () => KEY, { ...OPTIONS, keyTimeoutMs: 50 });
    assert.deepEqual(await outcome, { type: 'refused' });
  });

  it('asks for the key only when the owner has it, and passes on why there is none', async (t) => {
    const { owner, guest } = await socketPair(t);
    let isAsked = false;
    const outcome = proveAsGuest(
      guest,
      async () => {
        isAsked = true;
        throw new Error('locked');
      },
      OPTIONS,
    );
    assert.equal(isAsked, false);
    owner.stream.write(randomBytes(32));
    await assert.rejects(outcome, /locked/);
  });

  it('leaves what follows it in the stream', async (t) => {
    const { owner, guest } = await socketPair(t);
    const proved = proveAsOwner(owner, [KEY], OPTIONS).then(() => owner.stream.write('next'));
    await proveAsGuest(guest, async () => KEY, OPTIONS);
    await proved;
    assert.equal(String(await guest.read(4)), 'next');
  });
});
