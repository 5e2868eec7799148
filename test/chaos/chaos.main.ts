// npm run chaos [-- --kills N]: kills real windows at every step of a refresh, and counts the logins that are lost.
import { parseArgs } from 'node:util';
import { writeCounts } from '../stand/counts.ts';
import { withKeyring } from '../stand/keyring.ts';
import { provision } from '../stand/provision.ts';
import { killAtEachStep } from './killCases.ts';
import { killAtRandom } from './randomKills.ts';
import { type Tally, tableOf } from './tally.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '200' } } });
const kills = Number(values.kills);

await provision();
const tallies: Tally[] = [];
await withKeyring(async () => {
  const note = (tally: Tally): void => {
    tallies.push(tally);
    console.log(tableOf([tally]).split('\n')[1]);
  };
  await killAtRandom(kills, note);
  for (const kind of ['strict', 'grace'] as const) {
    await killAtEachStep(kind, kills, note);
  }
});
console.log(`\n${tableOf(tallies)}`);
const failed = tallies.filter(({ avoidable = 0 }) => avoidable > 0).length;
await writeCounts('chaos', { passed: tallies.length - failed, failed });
process.exitCode = failed === 0 ? 0 : 1;
