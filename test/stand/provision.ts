import { provisionCodeServer } from './provisionCodeServer.ts';
import { provisionPackages } from './provisionPackages.ts';

/** Makes sure that all is there which host and browser tests need; a few milliseconds when it is. */
export async function provision(log: (line: string) => void = console.log): Promise<void> {
  await provisionPackages(log);
  await provisionCodeServer(log);
}
