/** What the page of the details view is made of. */
export interface DetailsPage {
  /** URIs of the page's script and style sheet, as the webview may load them. */
  readonly script: string;
  readonly style: string;
  /** Fresh for each page. */
  readonly nonce: string;
}

/**
 * The page of the details view. It may load its own script and style sheet and nothing else from anywhere: no images,
 * fonts, frames, forms or requests. What it shows comes by messages.
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
<link rel="stylesheet" nonce="${nonce}" href="${style}">
</head>
<body>
<main id="details"></main>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
