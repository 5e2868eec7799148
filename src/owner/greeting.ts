/** What guests ask the owner's port to become (RFC 9110 section 7.8). */
export const UPGRADE_TOKEN = 'scopekeeper-window';

/** Where guests ask for it. */
export const UPGRADE_PATH = '/window';

/** What a guest sends first. It holds nothing that is secret or differs between guests. */
export function upgradeRequest(port: number): string {
  return `GET ${UPGRADE_PATH} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_TOKEN}\r\n\r\n`;
}

/** What the owner answers, to the byte; whoever answers otherwise is no owner. */
export const UPGRADE_ANSWER = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${UPGRADE_TOKEN}\r\n\r\n`;
