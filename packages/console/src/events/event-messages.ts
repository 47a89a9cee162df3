/** What the holder of the connection and the tabs say to each other. */
import type { StreamedEvents } from "@sallyport/contract";

/** How the connection is. */
export interface ConnectionState {
  /**
   * `ended`: the session is over, `denied`: it may not hear of events. Nothing is tried in either before there is a new
   * session.
   */
  readonly is: "connecting" | "open" | "lost" | "ended" | "denied";
  /** Why it is lost, ended or denied, as people read it; empty otherwise. */
  readonly says: string;
  /** The gateway's version, once it is known. */
  readonly version: string | null;
}

export interface RequestsSeen {
  readonly of: "requests";
  readonly requests: StreamedEvents["requests"]["requests"];
  /** More of them happened, and are not here. */
  readonly left: number;
}

export type TabMessage =
  | { readonly of: "state"; readonly state: ConnectionState }
  | RequestsSeen
  | { readonly of: "changed"; readonly kinds: readonly string[] }
  /** What happened meanwhile is not known: ask everything again. `left`: requests that are known to be missing. */
  | { readonly of: "reset"; readonly left: number };

/** From a tab to the worker. */
export type HolderMessage =
  | { readonly says: "here"; readonly token: string | null; readonly isShown: boolean }
  /** Try again now. */
  | { readonly says: "again" }
  | { readonly says: "gone" };
