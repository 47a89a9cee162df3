/** The lines of a file, a batch at a time, in constant memory. What the last line lacks is its end, not its content. */
import { createReadStream, statSync } from "node:fs";

const READ_BYTES = 1 << 20;

export async function* batchesOfLines(
  path: string,
  onRead: (bytes: number, total: number) => void = () => {},
): AsyncGenerator<readonly string[]> {
  let rest = "";
  const stream = createReadStream(path, { encoding: "utf8", highWaterMark: READ_BYTES });
  const total = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    yield lines;
    onRead(stream.bytesRead, total);
  }
  if (rest !== "") yield [rest];
}
