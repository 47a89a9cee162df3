/** One whole answer, with headers of the server's own that must not come down to a caller. */
import type { ServerResponse } from "node:http";

export function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  type = "application/json; charset=utf-8",
): void {
  response.writeHead(status, { "content-type": type, "set-cookie": "aid=leak", "x-from-upstream": "1" });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}
