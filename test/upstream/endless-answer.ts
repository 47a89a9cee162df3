/** A model server that begins a streamed answer and goes on with it for ever, or as long as somebody reads. */
import type { ServerResponse } from "node:http";

const LINE = `{"model":"m","created_at":"x","message":{"role":"assistant","content":"${"x".repeat(4_000)}"},"done":false}\n`;

export function answerWithoutEnd(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "application/x-ndjson" });
  const writeMore = (): void => {
    while (!response.destroyed && response.write(LINE));
  };
  response.on("drain", writeMore);
  writeMore();
}
