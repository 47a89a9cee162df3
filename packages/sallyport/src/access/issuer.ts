/** Who asks for an administrative change, with what he may do and give. */
import type { AdminRight } from "./policy.ts";

export interface Issuer {
  /** As recorded: `key:<id>` of an admin key, or `os:<user>` over the Unix socket. */
  readonly actor: string;
  readonly right: AdminRight;
}
