/** The user's home directory. In containers, a user may have none: no HOME, and no entry in the list of users. */
import { homedir } from "node:os";
import { isAbsolute } from "node:path";

/** Undefined without one. An empty HOME counts as missing: what belongs there would land in the working directory. */
export function homeDirectory(read: () => string = homedir): string | undefined {
  try {
    const home = read();
    return isAbsolute(home) ? home : undefined;
  } catch {
    return undefined;
  }
}
