import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { renderCallbackPage } from '../../../src/platform/callbackPage.ts';

function shape(text: string): string {
  const page = { title: text, message: text, details: [text], hint: text, lang: text };
  return renderCallbackPage({ tone: 'failure', ...page }).replaceAll(/[^<>"']/g, '');
}

describe('renderCallbackPage', () => {
  const page = {
    tone: 'success',
    title: 'Connected',
    message: 'Example is connected.',
    hint: 'Close this tab.',
  } as const;

  it('has language, title, one heading and no script or outside resource', () => {
    const html = renderCallbackPage({ ...page, lang: 'de', details: ['read', 'write'] });
    assert.match(html, /^<!doctype html>\n<html lang="de" class="success">/);
    assert.match(html, /<title>Connected – Scopekeeper<\/title>/);
    assert.equal(html.match(/<h1>/g)?.length, 1);
    assert.equal(html.match(/<li>/g)?.length, 2);
    assert.doesNotMatch(html, /<script|https?:|url\(|@import|\son\w+=/i);
  });

  it('leaves the list out when there is nothing for it', () => {
    assert.doesNotMatch(renderCallbackPage(page), /<ul>/);
  });

  it('P17 nothing that a server says becomes markup', () => {
    const expected = shape('plain');
    fc.assert(
      fc.property(
        fc.string(),
        fc.constantFrom('<', '>', '"', "'", '&', '</style>', '<img src=x onerror=1>'),
        (a, b) => {
          assert.equal(shape(a + b + a), expected);
        },
      ),
    );
  });
});
