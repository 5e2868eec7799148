import axeCore from 'axe-core';
import type { Frame, Locator } from 'playwright-core';
import * as v from 'valibot';

const resultSchema = v.object({
  violations: v.array(
    v.object({ id: v.string(), help: v.string(), nodes: v.array(v.object({ html: v.string(), target: v.unknown() })) }),
  ),
  passes: v.array(v.object({ id: v.string() })),
});

/** What axe-core finds of a page. */
export interface AxeFindings {
  /** Each as `rule: what it wants: where`. */
  readonly violations: readonly string[];
  /** How many rules looked at something and found it well. */
  readonly passed: number;
}

/** The frame of the page that `inside` is in. */
export async function frameOf(inside: Locator): Promise<Frame> {
  const element = await inside.elementHandle();
  const frame = await element?.ownerFrame();
  if (frame === null || frame === undefined) throw new Error('There is no such page.');
  return frame;
}

/** Runs axe-core, with all of its rules, on the page that `inside` is in: its own frame, whatever that may load. */
export async function axe(inside: Locator): Promise<AxeFindings> {
  const frame = await frameOf(inside);
  await frame.evaluate(axeCore.source);
  const { passes, violations } = v.parse(resultSchema, await frame.evaluate('axe.run(document)'));
  return {
    violations: violations.flatMap(({ help, id, nodes }) =>
      nodes.map(({ html, target }) => `${id}: ${help}: ${JSON.stringify(target)} ${html.slice(0, 200)}`),
    ),
    passed: passes.length,
  };
}
