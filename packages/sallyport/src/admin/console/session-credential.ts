/** The two secrets of a console session, as a request brings them: a cookie, and a header that only the console's pages send. */
import { headerLines } from "../../listener/header-form.ts";

export interface SessionCredential {
  readonly cookie: string;
  readonly token: string;
}

export const SESSION_COOKIE = "sallyport_console";
export const SESSION_HEADER = "x-sallyport-console";

/** Undefined where one of them is absent or comes twice, or where a page of another origin sends them. */
export function sessionCredential(rawHeaders: readonly string[]): SessionCredential | undefined {
  const tokens = headerLines(rawHeaders, SESSION_HEADER);
  const cookies = headerLines(rawHeaders, "cookie")
    .flatMap((line) => line.split(/; ?/))
    .filter((pair) => pair.startsWith(`${SESSION_COOKIE}=`));
  const sites = headerLines(rawHeaders, "sec-fetch-site");
  if (tokens.length !== 1 || cookies.length !== 1 || sites.some((site) => site !== "same-origin")) return undefined;
  return { cookie: cookies[0]!.slice(SESSION_COOKIE.length + 1), token: tokens[0]! };
}

/** `Set-Cookie`; null ends it. */
export function sessionCookie(value: string | null, isSecure: boolean): string {
  const life = value === null ? "; Max-Age=0" : "";
  return `${SESSION_COOKIE}=${value ?? ""}; Path=/; HttpOnly; SameSite=Strict${isSecure ? "; Secure" : ""}${life}`;
}
