/** The operating-system user as audit records name it. */
import { userInfo } from "node:os";

export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A user id without a name, as containers have it.
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
