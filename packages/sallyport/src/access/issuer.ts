/** Who requests an administrative change, with what they may do and grant. */
import type { AdminRight } from "./policy.ts";

export interface Issuer {
  /** As recorded: `key:<id>` of an admin key, or `os:<user>` over the Unix socket. */
  readonly actor: string;
  readonly right: AdminRight;
}
