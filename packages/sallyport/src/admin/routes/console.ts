/** The link that opens the console. */
import { Problem } from "@sallyport/protocol";
import { eventOf } from "../call.ts";
import type { Handlers } from "../call.ts";
import { isoTime } from "../views.ts";

export const consoleHandlers: Handlers<"openConsole"> = {
  async openConsole(call) {
    const { ports, caller } = call;
    // A session cannot make itself longer.
    if (caller.session !== null) throw new Problem("permission_denied", "not from a session of the console");
    const { secret, expiresAt } = ports.console.makeLink(caller.holder);
    await ports.changes.inTurn(() =>
      ports.changes.change({
        operations: [],
        events: [eventOf(call, "console.link_made", "system", { expires_at: expiresAt })],
      }),
    );
    // In the fragment: it reaches no server, and no log.
    return { url: `${ports.status().adminListen}/#link=${secret}`, expiresAt: isoTime(expiresAt) };
  },
};
