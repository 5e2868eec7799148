import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Frame, Locator } from 'playwright-core';
import * as v from 'valibot';

const resultSchema = v.object({
  violations: v.array(
    v.object({
      id: v.string(),
      help: v.string(),
      nodes: v.array(v.object({ html: v.string(), failureSummary: v.string() })),
    }),
  ),
  passes: v.array(v.object({ id: v.string() })),
});

/**
 * Looks at a document with axe-core, all of its rules, best practices too. Gives a line for each violation with the
 * element and what is wrong with it; none when all is well.
 * @param document the `html` element: `page.locator('html')`, or `workbench.webview.locator('html')` for a webview
 */
export async function findViolations(document: Locator): Promise<string[]> {
  const frame = await frameOf(document);
  await frame.evaluate(axe.source);
  const { violations, passes } = v.parse(resultSchema, await frame.evaluate('axe.run(document)'));
  assert.ok(passes.length > 0, 'axe-core has looked at something');
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id} (${help}): ${html}\n${failureSummary}`),
  );
}

/** How many CSS pixels of a document lie beyond the right edge of its window: 0, or the person has to scroll sideways. */
export async function overflowOf(document: Locator): Promise<number> {
  const frame = await frameOf(document);
  const script = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
  return v.parse(v.number(), await frame.evaluate(script));
}

/** The frame that a document is in. */
export async function frameOf(document: Locator): Promise<Frame> {
  const element = await document.elementHandle();
  return (await element?.ownerFrame()) ?? assert.fail('The document has gone.');
}
