/** Resolves an upstream's name as the system does, and leads nowhere nothing is forwarded to, whatever a name server says. */
import { lookup } from "node:dns";
import { isIP } from "node:net";
import type { LookupFunction } from "node:net";
import { isNeverUpstream } from "../../access/upstream-place.ts";

export class UpstreamForbidden extends Error {
  readonly code = "EUPSTREAMFORBIDDEN";
}

export const upstreamLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, options, (error, address, family) => {
    const found = typeof address === "string" ? [address] : (address ?? []).map((one) => one.address);
    if (!error && found.some(isNeverUpstream))
      callback(new UpstreamForbidden(`${hostname} stands for a link-local, metadata or unspecified address`), "", 0);
    else callback(error, address, family);
  });
};

/** A literal address is not looked up: it is checked here. */
export function refuseAddress(hostname: string): UpstreamForbidden | undefined {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return isIP(bare) !== 0 && isNeverUpstream(bare)
    ? new UpstreamForbidden(`${bare} is a link-local, metadata or unspecified address`)
    : undefined;
}
