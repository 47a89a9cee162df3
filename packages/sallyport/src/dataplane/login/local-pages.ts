/** The pages of people without a provider: name, password and code; and how they choose them. */
import { renderSVG } from "uqr";
import type { Secret } from "../../kernel/secret.ts";
import { escaped } from "./page.ts";
import type { LoginPage } from "./page.ts";

export const LOCAL_PATH = "/login/local";
export const ENROL_PATH = "/login/enrol";

const CODE_FIELD =
  '<label for="code">The six digits of your authenticator</label><input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" required minlength="6" maxlength="6" pattern="[0-9]{6}">';

export function localPage(state: string, said: string | null): LoginPage {
  return {
    title: "Log in",
    body:
      sentence(said) +
      `<form method="post" action="${LOCAL_PATH}"><input type="hidden" name="state" value="${escaped(state)}">` +
      '<label for="name">Name</label><input id="name" name="name" autocomplete="username" required maxlength="100">' +
      '<label for="password">Password</label><input id="password" name="password" type="password" autocomplete="current-password" required maxlength="128">' +
      `${CODE_FIELD} <button>Log in</button></form>`,
  };
}

export function enrolPage(said: string | null): LoginPage {
  return {
    title: "Choose a password",
    body:
      sentence(said) +
      `<form method="post" action="${ENROL_PATH}">` +
      '<label for="invitation">The code of your invitation</label><input id="invitation" name="invitation" autocomplete="off" required maxlength="64">' +
      '<label for="password">A new password, of at least 12 characters</label><input id="password" name="password" type="password" autocomplete="new-password" required minlength="12" maxlength="128">' +
      '<label for="again">Once more</label><input id="again" name="again" type="password" autocomplete="new-password" required minlength="12" maxlength="128"> ' +
      "<button>Go on</button></form>",
  };
}

/** Shown in the one answer that makes the secret, to the browser that holds the invitation. */
export function authenticatorPage(
  { state, secret, uri }: { state: string; secret: Secret; uri: Secret },
  said: string | null,
): LoginPage {
  const grouped = secret.reveal().replace(/(.{4})(?=.)/g, "$1 ");
  return {
    title: "Add it to your authenticator",
    body:
      sentence(said) +
      `<p>Scan this with an authenticator app, or type the secret into it.</p><div class="qr">${renderSVG(uri.reveal())}</div>` +
      `<p><code>${escaped(grouped)}</code></p><p class="small"><a href="${escaped(uri.reveal())}">${escaped(uri.reveal())}</a></p>` +
      `<form method="post" action="${ENROL_PATH}"><input type="hidden" name="state" value="${escaped(state)}">${CODE_FIELD} <button>Done</button></form>`,
  };
}

function sentence(said: string | null): string {
  return said === null ? "" : `<p><b>${escaped(said)}</b></p>`;
}
