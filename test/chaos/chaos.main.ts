// npm run chaos [-- --kills N] [--rounds N] [--only PART]: kills real windows at every step of a refresh and at random
// moments, lets five of them race, and counts the logins that are lost. The real token manager, in real processes,
// on a real keychain; no editor. Parts: random, race,
// troubles (with a tenth of the kills), steps.
import { parseArgs } from 'node:util';
import { writeCounts } from '../stand/counts.ts';
import { withKeyring } from '../stand/keyring.ts';
import { provision } from '../stand/provision.ts';
import { killAtEachStep } from './killCases.ts';
import { race } from './race.ts';
import { killAtRandom } from './randomKills.ts';
import { type Tally, tableOf } from './tally.ts';
import { meetTroubles } from './troubles.ts';

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '100' },
    only: { type: 'string' },
  },
});
const kills = Number(values.kills);
const rounds = Number(values.rounds);
const tallies: Tally[] = [];

function note(tally: Tally): void {
  tallies.push(tally);
  console.log(tableOf([tally]));
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  random: async () => killAtRandom(kills, note),
  race: async () => {
    for (const isOwnerKilled of [false, true]) note(await race(rounds, isOwnerKilled));
  },
  troubles: async () => meetTroubles(Math.ceil(kills / 10), note),
  steps: async () => killAtEachStep(kills, note),
};

await provision();
await withKeyring(async () => {
  for (const [name, run] of Object.entries(parts)) {
    if (values.only === undefined || values.only === name) await run();
  }
});
console.log(`\n${tableOf(tallies)}`);
const failed = tallies.filter(({ faults = 0 }) => faults > 0).length;
await writeCounts('chaos', { passed: tallies.length - failed, failed });
process.exitCode = failed === 0 && tallies.length > 0 ? 0 : 1;
