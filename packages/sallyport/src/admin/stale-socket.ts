/** A socket file outlives a killed process. It is removed only if no process responds behind it. */
import { existsSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { Problem } from "@sallyport/protocol";

/** The kernel's bound on a socket's path, in bytes (108 on Linux and 104 on macOS, with the closing zero). */
const PATH_MAX = 103;

/** Throws `conflict` when a server answers there, `input_invalid` when no socket can have that path. */
export async function clearStaleSocket(path: string): Promise<void> {
  if (Buffer.byteLength(path) > PATH_MAX) {
    throw new Problem(
      "input_invalid",
      `the path of the admin socket is longer than ${PATH_MAX} bytes: use a shorter data directory`,
      [path],
    );
  }
  if (!existsSync(path)) return;
  if (await isAnswered(path)) throw new Problem("conflict", `a server is running at ${path}`);
  unlinkSync(path);
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}
