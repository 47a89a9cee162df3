/** A form of the log-in pages: of this site only. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Exchange } from "../exchange.ts";
import { readForm } from "../oauth/form.ts";
import type { Form } from "../oauth/form.ts";
import type { PublicAddress } from "../public-address.ts";
import { isSameOrigin } from "./same-origin.ts";

export function readLoginForm(exchange: Exchange, address: PublicAddress): Form | Refusal {
  if (!isSameOrigin(exchange, address)) return refuse("form_cross_site");
  return readForm(exchange.body!, exchange.contentType);
}
