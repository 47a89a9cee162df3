/** Rows of local log-ins and the values they stand for. */
import type { LocalLogin } from "../../identity/local/local-login.ts";
import { readRow as read } from "../disk/damaged-record.ts";
import { Misshapen, orNull, text, wholeNumber } from "../disk/json-shape.ts";
import type { SqlRow, SqlValue } from "../disk/sqlite.ts";

export function readLocalLogin(row: SqlRow): LocalLogin {
  return read("local log-in", row["principal"], () => {
    const hash = orNull(text)(row["invitation"], "invitation");
    const expiresAt = orNull(wholeNumber)(row["invitation_expires_at"], "invitation_expires_at");
    if ((hash === null) !== (expiresAt === null)) throw new Misshapen("invitation", "with its end");
    return {
      principal: text(row["principal"], "principal"),
      invitation: hash === null || expiresAt === null ? null : { hash, expiresAt },
      sealed: orNull(text)(row["sealed"], "sealed"),
      otpStep: wholeNumber(row["otp_step"], "otp_step"),
      invitedAt: wholeNumber(row["invited_at"], "invited_at"),
      enrolledAt: orNull(wholeNumber)(row["enrolled_at"], "enrolled_at"),
    };
  });
}

export function localLoginRow({
  principal,
  invitation,
  sealed,
  otpStep,
  invitedAt,
  enrolledAt,
}: LocalLogin): SqlValue[] {
  return [principal, invitation?.hash ?? null, invitation?.expiresAt ?? null, sealed, otpStep, invitedAt, enrolledAt];
}
