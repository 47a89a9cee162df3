/** The risks that the overview counts, with the codes of the findings that show them. */
import type { Answer } from "@sallyport/contract";

type Code = Answer<"findings">["findings"][number]["code"];

export interface Risk {
  /** In the address of the filtered list. */
  readonly name: string;
  readonly title: string;
  readonly codes: ReadonlySet<Code>;
}

export const risks: readonly Risk[] = [
  { name: "expiring", title: "Expiring keys", codes: new Set(["key_near_expiry", "key_on_old_secret"]) },
  { name: "unused", title: "Unused keys", codes: new Set(["key_never_used", "key_unused", "admin_key_unused"]) },
  {
    name: "wide",
    title: "Too wide",
    codes: new Set(["wildcard_in_prod", "chat_key_manages_models", "reader_infers", "role_wider_than_use"]),
  },
];
