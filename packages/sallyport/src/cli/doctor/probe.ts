/** A look at an address: does anything accept a connection there? */
import { connect as connectTcp } from "node:net";

/** How long an answer is waited for. */
export const PROBE_MS = 3_000;

export function isOpen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connectTcp({ host, port, timeout: PROBE_MS });
    const end = (isAccepted: boolean) => (): void => {
      probe.destroy();
      resolve(isAccepted);
    };
    probe.once("connect", end(true)).once("error", end(false)).once("timeout", end(false));
  });
}
