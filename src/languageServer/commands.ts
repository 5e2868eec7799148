/** Commands of the extension that lenses and quick fixes run, as `src/vscode/ids.ts` has them; a test compares them. */
export const commandIds = {
  /** With a `ConfigServerReference`, as the next two. */
  connect: 'scopekeeper.connectConfigServer',
  route: 'scopekeeper.useThroughGateway',
  moveToken: 'scopekeeper.moveTokenToKeychain',
  /** With the id of a connection, as the last one. */
  details: 'scopekeeper.showDetails',
  reauthorize: 'scopekeeper.reauthorize',
} as const;
