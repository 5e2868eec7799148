import { randomUUID } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { ConnectionManager } from './connections/connectionManager.ts';
import { type KeyRing, SealingKeys } from './connections/sealingKeys.ts';
import { SecretVault } from './connections/secretVault.ts';
import { createOwnedGateway } from './gatewayParts.ts';
import { createSampleHost, loadSampleModule } from './sampleParts.ts';
import type { RenderAuthorizationPage } from './gateway/ports.ts';
import { type PromptingWindow, Prompts } from './owner/prompts.ts';
import { shareConnections } from './owner/shareConnections.ts';
import { renderCallbackPage } from './platform/callbackPage.ts';
import { renderConsentPage } from './platform/consentPage.ts';
import { readCertificates } from './platform/certificateFile.ts';
import { createClientConfigFiles } from './platform/clientConfigFiles.ts';
import { systemClock } from './platform/clock.ts';
import { readAssertionFile } from './platform/assertionFile.ts';
import { createConnectionsFile } from './platform/connectionsFile.ts';
import { createOutlivingFetch } from './platform/exchange/outlivingFetch.ts';
import { createGuardedFetch } from './platform/guardedFetch.ts';
import { createKeytarStore } from './platform/keytarStore.ts';
import type { LoopbackRoutes } from './platform/callbackRoute.ts';
import { createLoopbackServer } from './platform/loopbackServer.ts';
import { SealedJournal } from './platform/sealedJournal.ts';
import { userFolder } from './platform/userFolder.ts';
import { publicConnection, type ScopekeeperApi } from './vscode/api.ts';
import { offerToAgentMode } from './vscode/agentMode.ts';
import { authorizationWords } from './vscode/authorizationWords.ts';
import { callbackWords } from './vscode/callbackWords.ts';
import { commandTable } from './vscode/commands.ts';
import { registerCommands } from './vscode/commandTable.ts';
import { setContextKey } from './vscode/contextKeys.ts';
import { Consent } from './vscode/consent.ts';
import { offerDetails } from './vscode/details/details.ts';
import { offerSessions } from './vscode/extensionSessions.ts';
import { followPort } from './vscode/followPort.ts';
import { stepUpTimeoutMs, tokenLifetimes, wantedPort } from './vscode/gatewaySettings.ts';
import { DiagnoseCommand } from './vscode/diagnosis/diagnoseCommand.ts';
import { editorUserFolder } from './vscode/editorUserFolder.ts';
import { settingIds } from './vscode/ids.ts';
import { KeptSetting } from './vscode/keptSetting.ts';
import { offerConfigLanguage } from './vscode/languageClient/configLanguage.ts';
import { setLanguage } from './vscode/localize.ts';
import { channelLog } from './vscode/log.ts';
import { showError } from './vscode/notifications.ts';
import { openBrowser } from './vscode/openBrowser.ts';
import { secretStorageStore } from './vscode/secretStorageStore.ts';
import { clientMetadataUrl, extraCaFile } from './vscode/settings.ts';
import { showConnections } from './vscode/showConnections.ts';
import { SignIn } from './vscode/signIn.ts';
import { redirectKindOf, returnHere, setWindowPlace } from './vscode/remote/signInReturn.ts';
import { windowPlace } from './vscode/remote/windowPlace.ts';
import { sampleConsentWords } from './vscode/sample/sampleConsentWords.ts';
import { ServerSync } from './vscode/sync/serverSync.ts';
import { createTellDemand } from './vscode/tellDemand.ts';
import { tellPort } from './vscode/tellPort.ts';
import { tellSalvaged, tellSecretTrouble, tellUnreadable, tellUnsaved } from './vscode/tellSecretTrouble.ts';
import { editorRedirectUri, handleUris } from './vscode/uriHandler.ts';
import { describeWindow } from './vscode/windowName.ts';
import { showProblem } from './vscode/viewState.ts';

/** What registrations name this software by, whatever its version (RFC 7591 section 2). */
const SOFTWARE_ID = 'c0f27eb6-eff1-44a9-bd0c-8d61b2c44bc9';

/** What the browser shows of an authorization server of ours. */
const renderPage: RenderAuthorizationPage = (page) => renderCallbackPage(authorizationWords(page));

let stop: (() => Promise<void>) | undefined;

/**
 * Builds the parts and registers them. Touches neither disk, network nor keychain: what does that begins
 * after the editor has started.
 */
export function activate(context: vscode.ExtensionContext): ScopekeeperApi {
  setLanguage(vscode.l10n.t, vscode.env.language);
  setWindowPlace(windowPlace(context));
  const channel = vscode.window.createOutputChannel('Scopekeeper', { log: true });
  const log = channelLog(channel);
  const clock = systemClock;
  const version = String(context.extension.packageJSON.version);
  const folder = userFolder(process.platform, process.env, os.homedir());
  const { extensionPath } = context;
  const prebuildsFolder = path.join(extensionPath, 'dist', 'prebuilds');

  const file = createConnectionsFile(path.join(folder, 'connections.json'), (error) => tellSalvaged(error));
  const extraCa = new KeptSetting(settingIds.extraCaFile, extraCaFile);
  const guardedFetch = createGuardedFetch({ version, extraCaFile: extraCa.value });
  const processFile = path.join(extensionPath, 'dist', 'keytarProcess.js');
  const stores = {
    keychain: createKeytarStore({ prebuildsFolder, processFile }),
    editor: secretStorageStore(context.secrets),
  };
  const keys = new SealingKeys({ ...stores, log });
  const journalFolder = path.join(folder, 'journal');
  const loadKeys = async (): Promise<KeyRing> => keys.load('journal-key');
  const journal = new SealedJournal({ folder: journalFolder, loadKeys });
  const vault = new SecretVault({
    ...stores,
    log,
  });
  const editorUri = editorRedirectUri(context.extension.id);
  const manager = new ConnectionManager({
    fetch: guardedFetch.fetch,
    resolveReach: guardedFetch.resolveReach,
    prepareRedirect: async (kind) => redirectUri(kind),
    readAssertion: readAssertionFile,
    software: { name: 'Scopekeeper', softwareId: SOFTWARE_ID, version },
    clientMetadataUrl,
    clock,
    vault,
    onUnsaved: (error) => tellUnsaved(error, async () => manager.save()),
    onSecretTrouble: (trouble) => void tellSecretTrouble(trouble, context.globalState, () => manager.retryKeychain()), // the answer may never come
    file,
    journal,
    outlivingFetch: createOutlivingFetch({
      guardedFetch,
      journal,
      journalFolder,
      loadKeys,
      script: path.join(extensionPath, 'dist', 'exchangeProcess.js'),
      version,
      log,
    }),
    random: Math.random,
    openBrowser,
    newId: randomUUID,
    log,
  });
  const onCallback: LoopbackRoutes['onCallback'] = async (url) => {
    const outcome = await manager.handleCallback(url);
    return { status: outcome.type === 'connected' ? 200 : 400, html: renderCallbackPage(callbackWords(outcome)) };
  };
  const thisWindow: PromptingWindow = {
    askConsent: async (request, signal) => consent.askForClient(request, signal),
    tellDemand: async (demand, signal) => tellDemand(demand, signal),
    tellPort,
  };
  const prompts = new Prompts(thisWindow, { clock, log });
  const ownGateway = createOwnedGateway({
    manager,
    guardedFetch,
    extraCaFile: extraCa.value,
    folder,
    keys,
    origin: () => role.loopbackOrigin(),
    askConsent: prompts.askConsent,
    tellDemand: prompts.tellDemand,
    renderPage,
    lifetimes: tokenLifetimes,
    stepUpTimeoutMs,
    onTrouble: (error) => void showError(error), // the answer may never come
    version,
    clock,
    log,
  });
  const sample = createSampleHost({
    folder,
    connections: manager,
    file,
    keys,
    load: () => loadSampleModule(path.join(extensionPath, 'dist', 'sampleServer.js')),
    renderConsent: (question, answerAt) => renderConsentPage(sampleConsentWords(question), answerAt),
    renderPage,
    version,
    clock,
    log,
  });
  const shared = shareConnections({
    manager,
    gateway: ownGateway,
    sample,
    prompts,
    window: thisWindow,
    createLoopback: (upgrade) =>
      createLoopbackServer({
        folder,
        wantedPort,
        onPort: async (news) => prompts.announcePort(news),
        routes: { onCallback, onRequest: ownGateway.handle, upgrade },
      }),
    stores,
    keys,
    hasStoredConnections: async () => ((await file.read())?.connections.length ?? 0) > 0,
    editorUri,
    defaultRedirect: () => redirectKindOf(returnHere()),
    windowName: describeWindow,
    openBrowser,
    clock,
    log,
  });
  const { connections, gateway, redirectUri, role } = shared;

  const shown = showConnections({ service: connections, gateway, role, clock, log });
  const { batches, ticker, tree } = shown;
  const configFiles = createClientConfigFiles({
    platform: process.platform,
    env: process.env,
    home: os.homedir(),
    editorUserFolder: editorUserFolder(context),
  });
  const signIn = new SignIn(connections, async (id) => tree.reveal(id));
  const consent = new Consent({ connections, gateway });
  const tellDemand = createTellDemand(connections, signIn);
  const ensureReady = async () => role.ensureReady();
  const sync = new ServerSync({
    memento: context.globalState,
    own: manager,
    service: connections,
    role,
    onOffers: (hasOffers) => setContextKey('scopekeeper.hasOffers', hasOffers),
  });
  const details = offerDetails({
    service: connections,
    role,
    secretPlaces: () => manager.secretPlaces(),
    clock,
    log,
    extensionUri: context.extensionUri,
    version,
  });
  const diagnosis = new DiagnoseCommand({
    service: connections,
    ports: { ...guardedFetch, clock, clientMetadataUrl },
    ensureReady,
    version,
  });
  const commands = commandTable({
    service: connections,
    gateway,
    signIn,
    ensureReady,
    reveal: async (id) => tree.reveal(id),
    details,
    showProblem: async () => showProblem(role),
    showLog: () => channel.show(),
    sampleUrl: connections.sampleUrl,
    sync,
    diagnosis,
    redirectUri: async (kind) => connections.redirectUri(kind),
    checkCaFile: async (file) => void (await readCertificates(file, 'connection')), // only whether it can be read
    configFiles,
  });
  const publicChanges = new vscode.EventEmitter<void>();
  if (vscode.window.state.focused) connections.noteFocus();
  const afterStartup = setImmediate(() => void role.look()); // it never rejects: its state tells
  context.subscriptions.push(
    extraCa,
    shown,
    signIn,
    sync,
    publicChanges,
    details,
    registerCommands(commands, log),
    diagnosis,
    connections,
    gateway,
    handleUris(connections, editorUri),
    offerToAgentMode({ service: connections, gateway, batches, log }),
    offerSessions({ service: connections, gateway, consent, ensureReady }),
    offerConfigLanguage({
      service: connections,
      batches,
      gateway,
      role,
      ticker,
      configFiles,
      channel,
      extensionPath,
      clock,
      log,
    }),
    followPort(role),
    role.onDidChange(() => publicChanges.fire()),
    connections.onDidChangeConnection(() => publicChanges.fire()),
    tellUnreadable(manager),
    vscode.window.onDidChangeWindowState(({ focused }) => {
      if (!focused) return;
      sync.look();
      void role.look(); // as above
      connections.noteFocus();
    }),
    { dispose: () => clearImmediate(afterStartup) },
  );
  // Not among the subscriptions, which the editor disposes at once: a refresh that was sent is waited for, with the
  // log that tells of it. The network is left as it is: an answer that comes later still reaches the journal.
  stop = async () => {
    await shared.dispose();
    channel.dispose();
  };
  return {
    connections: () => connections.connections.map(publicConnection),
    onDidChangeConnections: publicChanges.event,
  };
}

/** Ends what is under way and gives the port back; the editor waits 5 s for it. */
export async function deactivate(): Promise<void> {
  await stop?.();
  stop = undefined;
}
