import type { RequestHandlerExtra } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type CallToolRequest,
  EmptyResultSchema,
  type ServerNotification,
  type ServerRequest,
} from '@modelcontextprotocol/sdk/types.js';

/** How many steps a tool reports. */
export const PROGRESS_STEPS = 3;

/**
 * Reports the progress of a call on its own stream, where the client wants to hear of it, and then asks the client
 * whether it is there: SDK 1 forgets who waits for progress when the answer comes with it.
 */
export async function reportProgress(
  { params }: CallToolRequest,
  { sendNotification, sendRequest }: RequestHandlerExtra<ServerRequest, ServerNotification>,
): Promise<void> {
  const progressToken = params._meta?.progressToken;
  if (progressToken === undefined) return;
  for (let progress = 1; progress <= PROGRESS_STEPS; progress += 1) {
    await sendNotification({
      method: 'notifications/progress',
      params: { progressToken, progress, total: PROGRESS_STEPS },
    });
  }
  await sendRequest({ method: 'ping' }, EmptyResultSchema);
}
