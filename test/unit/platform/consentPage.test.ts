import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { renderConsentPage } from '../../../src/platform/consentPage.ts';
import { sampleConsentWords } from '../../../src/vscode/sample/sampleConsentWords.ts';

const WORDS = sampleConsentWords({ clientName: 'Scopekeeper', scopes: ['notes:read', 'notes:write', 'notes:admin'] });

/** The markup of a page all of whose texts are `text`. */
function shape(text: string): string {
  const scopes = [{ scope: text, meaning: text }];
  const words = { title: text, message: text, legend: text, scopes, allow: text, deny: text, hint: text, lang: text };
  return renderConsentPage(words, text).replaceAll(/[^<>"']/g, '');
}

describe('renderConsentPage', () => {
  it('has a labelled box for each scope, two buttons, and no script or outside resource', () => {
    const html = renderConsentPage(WORDS, '/oauth/authorize/x');
    assert.equal(html.match(/<label><input type="checkbox" name="scope" value="notes:\w+" checked>/g)?.length, 3);
    assert.equal(html.match(/<button[^>]* name="decision" value="(?:allow|deny)"/g)?.length, 2);
    assert.equal(html.match(/<h1>/g)?.length, 1);
    assert.match(html, /<fieldset>\s*<legend>/);
    assert.doesNotMatch(html, /<script|https?:|url\(|@import|\son\w+=/i);
    // Each scope is explained.
    assert.doesNotMatch(html, /<small><\/small>/);
  });

  it('makes markup of nothing that it is given', () => {
    const expected = shape('plain');
    fc.assert(
      fc.property(fc.string(), fc.constantFrom('<', '>', '"', "'", '&', '</form>', '<img src=x onerror=1>'), (a, b) => {
        assert.equal(shape(a + b + a), expected);
      }),
    );
  });
});
