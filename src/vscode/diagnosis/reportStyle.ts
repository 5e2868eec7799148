/** How a report looks: with the colours and fonts of the editor's theme, in high contrast too. */
export const REPORT_STYLE = `
body { margin: 0; padding: 0 20px 32px; color: var(--vscode-foreground); background: var(--vscode-editor-background);
  font: var(--vscode-font-size, 13px)/1.5 var(--vscode-font-family, sans-serif); }
main { max-width: 1100px; margin: 0 auto; }
h1 { font-size: 1.6em; font-weight: 600; margin: 24px 0 2px; overflow-wrap: anywhere; }
h2 { font-size: 1.2em; font-weight: 600; margin: 28px 0 8px; }
.quiet { color: var(--vscode-descriptionForeground); }
.url { margin: 0 0 16px; overflow-wrap: anywhere; }
.cause { display: flex; gap: 12px; padding: 14px 16px; border: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, transparent));
  border-inline-start: 4px solid currentColor; background: var(--vscode-textBlockQuote-background); }
.cause p { margin: 0; color: var(--vscode-foreground); overflow-wrap: anywhere; }
.cause .headline { font-size: 1.15em; font-weight: 600; }
.sign { font-weight: 700; width: 1.2em; text-align: center; flex: none; display: inline-block; }
.broken { color: var(--vscode-errorForeground); }
.worked_around { color: var(--vscode-editorWarning-foreground); }
.passed { color: var(--vscode-testing-iconPassed, var(--vscode-charts-green)); }
.not_testable { color: var(--vscode-descriptionForeground); }
nav { display: flex; flex-wrap: wrap; gap: 8px; margin: 14px 0 0; }
a.button { display: inline-block; padding: 4px 12px; border-radius: 2px; text-decoration: none;
  color: var(--vscode-button-secondaryForeground); background: var(--vscode-button-secondaryBackground);
  border: 1px solid var(--vscode-button-border, var(--vscode-contrastBorder, transparent)); }
a.button:hover { background: var(--vscode-button-secondaryHoverBackground); }
a.primary { color: var(--vscode-button-foreground); background: var(--vscode-button-background); }
a.primary:hover { background: var(--vscode-button-hoverBackground); }
a:focus-visible, summary:focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; }
th { text-align: start; font-weight: 600; }
th, td { padding: 6px 12px 6px 0; vertical-align: top; overflow-wrap: anywhere;
  border-bottom: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, rgba(128, 128, 128, 0.35))); }
td p { margin: 0; }
td a.button { margin-top: 6px; }
.verdict { white-space: nowrap; width: 9em; overflow-wrap: normal; }
.verdict .words { color: var(--vscode-foreground); }
.rule { width: 34%; }
.source { display: block; font-size: 0.9em; }
details { border-bottom: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, rgba(128, 128, 128, 0.35))); }
summary .quiet { white-space: nowrap; }
summary { padding: 6px 0; cursor: pointer; overflow-wrap: anywhere; }
.request { font-family: var(--vscode-editor-font-family, monospace); }
.answer { font-weight: 600; }
dl { margin: 4px 0 12px 24px; display: grid; grid-template-columns: minmax(8em, max-content) 1fr; gap: 2px 16px;
  font-family: var(--vscode-editor-font-family, monospace); }
dt, dd { margin: 0; overflow-wrap: anywhere; }
h3 { font-size: 1em; font-weight: 600; margin: 8px 0 0 24px; }
@media (max-width: 560px) {
  table, tbody, tr, td { display: block; width: auto; }
  thead { position: absolute; clip-path: inset(50%); height: 1px; width: 1px; overflow: hidden; }
  tr { padding: 8px 0; border-bottom: 1px solid var(--vscode-widget-border, var(--vscode-contrastBorder, rgba(128, 128, 128, 0.35))); }
  td { padding: 2px 0; border: none; }
  .verdict, .rule { width: auto; }
  .rule { font-weight: 600; }
  .source { font-weight: 400; }
  dl { grid-template-columns: 1fr; }
  dd { padding-inline-start: 16px; }
}
`;
