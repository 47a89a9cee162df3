/** A form of the log-in pages: read whole within its bound, of this site only. */
import { refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import type { Clock } from "../../kernel/clock.ts";
import type { ByteBudget } from "../byte-budget.ts";
import type { Exchange } from "../exchange.ts";
import { readForm } from "../oauth/form.ts";
import type { Form } from "../oauth/form.ts";
import type { PublicAddress } from "../public-address.ts";
import { readBody } from "../read-body.ts";
import { isSameOrigin } from "./same-origin.ts";

export interface LoginFormPorts {
  readonly clock: Clock;
  readonly budget: ByteBudget;
  readonly address: PublicAddress;
}

const BODY_BYTES_MAX = 4 * 1024;

export async function readLoginForm(exchange: Exchange, ports: LoginFormPorts): Promise<Form | Refusal> {
  if (!isSameOrigin(exchange, ports.address)) return refuse("form_cross_site");
  const body = await readBody(exchange, BODY_BYTES_MAX, ports.budget, ports.clock);
  return Buffer.isBuffer(body) ? readForm(body, exchange.contentType) : body;
}
