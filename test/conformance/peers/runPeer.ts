/** Below the suite's own limit, so that a peer that hangs is told from one that was killed. */
const TIME_LIMIT_MS = 25_000;

/** Runs a peer to its end, or to the time limit, and ends this process: a peer may leave timers and sockets open. */
export async function runPeer(run: () => Promise<void>): Promise<never> {
  setTimeout(() => {
    console.error(`not done after ${TIME_LIMIT_MS} ms`);
    process.exit(1);
  }, TIME_LIMIT_MS);
  try {
    await run();
  } catch (error) {
    console.error(error);
    process.exit(1);
  }
  process.exit(0);
}
