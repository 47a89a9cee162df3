/**
 * Whether a form was sent by a page of ours (Fetch Metadata; the Origin header where a browser leaves that out, as it does
 * on plain http beyond loopback). Neither of them is no: every browser of today sends one.
 */
import type { Exchange } from "../exchange.ts";
import { oneHeader } from "../one-header.ts";
import { originOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";

export function isSameOrigin(exchange: Exchange, address: PublicAddress): boolean {
  const site = oneHeader(exchange.request.rawHeaders, "sec-fetch-site");
  if (site !== null) return site === "same-origin";
  const { authority } = originOf(address, exchange);
  return exchange.origin === `https://${authority}` || exchange.origin === `http://${authority}`;
}
