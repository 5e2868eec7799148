import type { MemoryProvider } from './memoryProvider.ts';

/** What either SDK's client is asked to do, over a transport that signs in. */
export interface SdkSession {
  readonly connect: () => Promise<unknown>;
  readonly listTools: () => Promise<unknown>;
  readonly callTool: () => Promise<unknown>;
  /** Hands the callback URL to the transport that has asked for the sign-in. */
  readonly finishAuth: (callback: URL) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * For one operation: a login and a step-up. Each is a request of its own to the SDKs, so it is the application that
 * has to end a server's asking for more.
 */
const MOST_SIGN_INS = 2;

/**
 * Connects, lists the tools and calls one. When an operation throws and the browser has come back, it finishes the
 * sign-in and repeats the operation, as the documentation of both SDKs says.
 * Throws what the SDK throws.
 */
export async function runSdk(session: SdkSession, provider: MemoryProvider): Promise<void> {
  try {
    for (const operation of [session.connect, session.listTools, session.callTool]) {
      await signingIn(operation, session, provider);
    }
  } finally {
    await session.close();
  }
}

/** Does an operation; when it throws since the browser was opened, it finishes the sign-in and repeats the operation. */
export async function signingIn(
  operation: () => Promise<unknown>,
  session: Pick<SdkSession, 'finishAuth'>,
  provider: MemoryProvider,
): Promise<void> {
  for (let signIns = 0; ; signIns++) {
    try {
      await operation();
      return;
    } catch (error) {
      const callback = provider.takeCallback();
      if (callback === undefined || signIns === MOST_SIGN_INS) throw error;
      await session.finishAuth(callback);
    }
  }
}
