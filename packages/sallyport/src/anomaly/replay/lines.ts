/** The lines of a file, a batch at a time, in constant memory. What the last line lacks is its end, not its content. */
import { createReadStream } from "node:fs";

const READ_BYTES = 1 << 20;

export async function* batchesOfLines(path: string): AsyncGenerator<readonly string[]> {
  let rest = "";
  for await (const chunk of createReadStream(path, { encoding: "utf8", highWaterMark: READ_BYTES })) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
  }
  if (rest !== "") yield [rest];
}
