/** What can be done to local log-ins, and the record each operation leaves. */
import type { LocalLogin } from "./local/local-login.ts";

export type LocalLoginOperation =
  | { readonly op: "localLogin.put"; readonly login: LocalLogin }
  | { readonly op: "localLogin.remove"; readonly principal: string };

export interface LocalLoginImage {
  readonly of: "local_login";
  /** The principal. */
  readonly id: string;
  readonly now: LocalLogin | null;
}
