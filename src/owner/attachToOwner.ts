import type { OpenBrowser } from '../connections/ports.ts';
import type { ByteReader } from './byteReader.ts';
import { promptRequests } from './gatewayProtocol.ts';
import { OwnerChannel, type OwnerChannelParts } from './ownerChannel.ts';
import type { PromptingWindow } from './prompts.ts';
import { RemoteConnections } from './remoteConnections.ts';
import { RemoteGateway } from './remoteGateway.ts';
import { guestRequests, ownerRequests } from './windowProtocol.ts';
import { done } from './windowRpc.ts';
import type { OwnerLink } from './windowRole.ts';

export interface AttachParts extends OwnerChannelParts {
  /** What the owner is told that this window is called. */
  readonly windowName: string;
  /** When the person was at this window last; undefined for never. */
  readonly focusedAt: number | undefined;
  readonly openBrowser: OpenBrowser;
  /** This window, for what the owner asks the person in it. */
  readonly window: PromptingWindow;
}

/** Begins to use what the owner has; resolves when the mirrors of it are whole. Throws `owner_gone`. */
export async function attachToOwner(reader: ByteReader, parts: AttachParts): Promise<OwnerLink> {
  const { focusedAt, log, openBrowser, window, windowName } = parts;
  const owner = new OwnerChannel(reader, parts);
  const service = new RemoteConnections(owner, log);
  const gateway = new RemoteGateway(owner, log);
  owner.serve(guestRequests.openBrowser, async ({ url }) => ({ isOpened: await openBrowser(url) }));
  owner.serve(promptRequests.askConsent, async (request, signal) => window.askConsent(request, signal));
  owner.serve(promptRequests.tellDemand, async (demand, signal) => done(window.tellDemand(demand, signal)));
  owner.serve(promptRequests.tellPort, async (news, signal) => done(window.tellPort(news, signal)));
  owner.listen();
  const attached = await owner.ask(ownerRequests.attach, {
    windowName,
    ...(focusedAt !== undefined && { focusedAt }),
  });
  return {
    windowName: attached.windowName,
    service,
    gateway,
    closed: owner.closed,
    dispose: () => owner.dispose(),
  };
}
