import { errors, type Adapter, type AdapterPayload } from 'oidc-provider';
import type { SampleState } from './stateFile.ts';

/** The models that end together with the grant they belong to. */
const OF_A_GRANT = ['AccessToken', 'AuthorizationCode', 'RefreshToken'];

/**
 * Gives oidc-provider's storage for one of its models, kept in `state`.
 * Every change is on disk before it is answered, so no token that a client holds is ever unknown after a restart.
 */
export function createAdapter(state: SampleState, model: string): Adapter {
  const { entries } = state;
  const keyOf = (id: string) => `${model}:${id}`;

  const read = (key: string): AdapterPayload | undefined => {
    const entry = entries.get(key);
    if (entry === undefined || (entry.expiresAt !== undefined && entry.expiresAt <= Date.now())) return undefined;
    // A copy: the provider changes what it is given.
    return structuredClone(entry.payload);
  };

  const findWhere = (isWanted: (payload: AdapterPayload) => boolean): AdapterPayload | undefined => {
    for (const [key, { payload }] of entries) {
      if (key.startsWith(`${model}:`) && isWanted(payload)) return read(key);
    }
    return undefined;
  };

  const forgetGrant = (grantId: string, models: readonly string[]): void => {
    for (const [key, { payload }] of entries) {
      if (payload.grantId === grantId && models.some((name) => key.startsWith(`${name}:`))) entries.delete(key);
    }
  };

  return {
    async upsert(id, payload, expiresIn) {
      const plain = structuredClone(payload);
      const expiry = expiresIn === undefined ? {} : { expiresAt: Date.now() + expiresIn * 1000 };
      entries.set(keyOf(id), { ...expiry, payload: plain });
      await state.save();
    },
    find: async (id) => read(keyOf(id)),
    findByUid: async (uid) => findWhere((payload) => payload.uid === uid),
    findByUserCode: async (userCode) => findWhere((payload) => payload.userCode === userCode),
    async consume(id) {
      const payload = entries.get(keyOf(id))?.payload;
      if (payload === undefined || payload.consumed !== undefined) {
        // Two requests with one token at the same moment: the provider's own check has already let both pass.
        if (payload?.grantId !== undefined) {
          forgetGrant(payload.grantId, OF_A_GRANT);
          entries.delete(`Grant:${payload.grantId}`);
          await state.save();
        }
        throw new errors.InvalidGrant('already used');
      }
      payload.consumed = Math.floor(Date.now() / 1000);
      await state.save();
    },
    async destroy(id) {
      if (entries.delete(keyOf(id))) await state.save();
    },
    async revokeByGrantId(grantId) {
      forgetGrant(grantId, [model]);
      await state.save();
    },
  };
}
