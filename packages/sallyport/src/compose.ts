/** The only place where parts are built and joined. */
import type { Settings } from "./config/settings.ts";

export interface Gateway {
  /** `http://127.0.0.1:11435`, with the port really bound. */
  readonly dataUrl: string;
  readonly adminUrl: string;
  /** Re-reads certificates and the policy file (SIGHUP). */
  reload(): Promise<void>;
  /** Takes no new requests, lets running ones end within `drainMs`, then cuts them; commits the ledger and closes. */
  close(drainMs: number): Promise<void>;
}

export async function openGateway(settings: Settings): Promise<Gateway> {
  throw new Error(`not composed yet: ${settings.dataDirectory}`);
}
