import type { RoleState } from '../owner/windowRole.ts';
import type { Trouble } from './trouble.ts';

/** The commands; each is declared in package.json, which a unit test compares with this list. */
export const commandIds = {
  connectServer: 'scopekeeper.connectServer',
  signIn: 'scopekeeper.signIn',
  reauthorize: 'scopekeeper.reauthorize',
  chooseScopes: 'scopekeeper.chooseScopes',
  refreshToken: 'scopekeeper.refreshToken',
  disconnect: 'scopekeeper.disconnect',
  remove: 'scopekeeper.remove',
  rename: 'scopekeeper.rename',
  useRegisteredClient: 'scopekeeper.useRegisteredClient',
  signInAnotherWay: 'scopekeeper.signInAnotherWay',
  connectionSettings: 'scopekeeper.connectionSettings',
  copyGatewayUrl: 'scopekeeper.copyGatewayUrl',
  manageLocalClients: 'scopekeeper.manageLocalClients',
  copyClientConfiguration: 'scopekeeper.copyClientConfiguration',
  addToClient: 'scopekeeper.addToClient',
  newToken: 'scopekeeper.newToken',
  changeTools: 'scopekeeper.changeTools',
  revokeAccess: 'scopekeeper.revokeAccess',
  allowUnadvertisedPkce: 'scopekeeper.allowUnadvertisedPkce',
  chooseCaFile: 'scopekeeper.chooseCaFile',
  copySignInUrl: 'scopekeeper.copySignInUrl',
  pasteCallbackUrl: 'scopekeeper.pasteCallbackUrl',
  copyDeviceCode: 'scopekeeper.copyDeviceCode',
  openDevicePage: 'scopekeeper.openDevicePage',
  cancelSignIn: 'scopekeeper.cancelSignIn',
  importServers: 'scopekeeper.importServers',
  showInConfig: 'scopekeeper.showInConfig',
  connectConfigServer: 'scopekeeper.connectConfigServer',
  useThroughGateway: 'scopekeeper.useThroughGateway',
  moveTokenToKeychain: 'scopekeeper.moveTokenToKeychain',
  showStatus: 'scopekeeper.showStatus',
  reveal: 'scopekeeper.reveal',
  showDetails: 'scopekeeper.showDetails',
  exportDiagnostics: 'scopekeeper.exportDiagnostics',
  diagnoseConnection: 'scopekeeper.diagnoseConnection',
  copyDiagnosis: 'scopekeeper.copyDiagnosis',
  showProblem: 'scopekeeper.showProblem',
  openSetting: 'scopekeeper.openSetting',
  showLog: 'scopekeeper.showLog',
  trySampleServer: 'scopekeeper.trySampleServer',
  connectSynced: 'scopekeeper.connectSynced',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

export const viewIds = {
  container: 'scopekeeper',
  servers: 'scopekeeper.servers',
} as const;

/** The panels that this extension opens beside the editors. */
export const panelIds = { details: 'scopekeeper.details', diagnosis: 'scopekeeper.diagnosis' } as const;

/** What this extension gives to the editor under a name; each is declared in package.json. */
export const providerIds = { agentMode: 'scopekeeper', authentication: 'scopekeeper' } as const;

export const settingIds = {
  clientMetadataUrl: 'scopekeeper.clientMetadataUrl',
  extraCaFile: 'scopekeeper.extraCaFile',
  agentMode: 'scopekeeper.agentMode.enabled',
  gatewayPort: 'scopekeeper.gateway.port',
  accessTokenTtl: 'scopekeeper.gateway.accessTokenTtl',
  refreshTokenTtl: 'scopekeeper.gateway.refreshTokenTtl',
  refreshGrace: 'scopekeeper.gateway.refreshGrace',
  stepUpTimeout: 'scopekeeper.gateway.stepUpTimeout',
} as const;

/** The keys that `when` clauses in package.json use, and what they can be. */
export interface ContextKeys {
  'scopekeeper.role': RoleState['type'];
  'scopekeeper.hasConnections': boolean;
  /** Whether at least one of them has tokens. */
  'scopekeeper.isConnected': boolean;
  /** Whether another computer of the person has servers that are not here. */
  'scopekeeper.hasOffers': boolean;
  /** Why this window is blocked; `none` while it is not. */
  'scopekeeper.trouble': Trouble;
  'scopekeeper.isAuthorizing': boolean;
  'scopekeeper.hasLocalClients': boolean;
  'scopekeeper.hasDiagnosis': boolean;
}

export const contextKeys: { readonly [K in keyof ContextKeys]: K } = {
  'scopekeeper.role': 'scopekeeper.role',
  'scopekeeper.hasConnections': 'scopekeeper.hasConnections',
  'scopekeeper.isConnected': 'scopekeeper.isConnected',
  'scopekeeper.hasOffers': 'scopekeeper.hasOffers',
  'scopekeeper.trouble': 'scopekeeper.trouble',
  'scopekeeper.isAuthorizing': 'scopekeeper.isAuthorizing',
  'scopekeeper.hasLocalClients': 'scopekeeper.hasLocalClients',
  'scopekeeper.hasDiagnosis': 'scopekeeper.hasDiagnosis',
};
