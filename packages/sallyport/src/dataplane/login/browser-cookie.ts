/** The cookie that binds what a page asks to the browser it was shown in: random, short-lived, read by no script. */
import { randomBase62 } from "../../kernel/ids.ts";
import type { Exchange } from "../exchange.ts";
import { oneHeader } from "../one-header.ts";
import { baseOf } from "../public-address.ts";
import type { PublicAddress } from "../public-address.ts";

export class BrowserCookie {
  readonly #name: string;
  readonly #attributes: string;
  readonly #address: PublicAddress;

  /** `sameSite`: `Lax` where another site sends the browser back here. */
  constructor(name: string, path: string, sameSite: "Lax" | "Strict", address: PublicAddress) {
    this.#name = name;
    this.#attributes = `Path=${path}; HttpOnly; SameSite=${sameSite}; Max-Age=600`;
    this.#address = address;
  }

  make(): { readonly value: string; readonly header: string } {
    const value = randomBase62(43);
    const secure = baseOf(this.#address).startsWith("https:") ? "; Secure" : "";
    return { value, header: `${this.#name}=${value}; ${this.#attributes}${secure}` };
  }

  /** Undefined where it is absent or comes twice. */
  read({ request }: Exchange): string | undefined {
    const header = oneHeader(request.rawHeaders, "cookie") ?? "";
    const found = header.split(/; ?/).filter((pair) => pair.startsWith(`${this.#name}=`));
    return found.length === 1 ? found[0]!.slice(this.#name.length + 1) : undefined;
  }
}
