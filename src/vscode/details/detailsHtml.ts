/** What the page of the details view is made of. */
export interface DetailsPage {
  /** The page's script and style sheet as texts, without any end tag of theirs in them. */
  readonly script: string;
  readonly style: string;
  /** Fresh for each page. */
  readonly nonce: string;
}

/**
 * The page of the details view. It has its script and style sheet in it and may load nothing from anywhere: no images,
 * fonts, frames, forms or requests. So it is there as soon as the editor has it, and none of its parts can be missing.
 * What it shows comes by messages.
 */
export function detailsHtml({ nonce, script, style }: DetailsPage): string {
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style nonce="${nonce}">${style}</style>
</head>
<body>
<main id="details"></main>
<script nonce="${nonce}">${script}</script>
</body>
</html>`;
}
