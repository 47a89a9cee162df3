// Loads one address with a closed loop of connections and says when all requests are done.
import { Pool } from "undici";

process.on("message", (asked) => void work(asked));

async function work({
  url,
  path = "/api/chat",
  key,
  more = {},
  requests,
  connections,
  bodyBytes,
  isStream,
  gapMs = 0,
  isEmbedding = false,
}) {
  const pool = new Pool(url, { connections, pipelining: 1 });
  const asked = (text) =>
    JSON.stringify(
      isEmbedding
        ? { model: "llama3.2", input: text }
        : { model: "llama3.2", messages: [{ role: "user", content: text }], stream: isStream },
    );
  const body = Buffer.from(asked(`gap=${gapMs};${"x".repeat(Math.max(0, bodyBytes - asked("").length - 6))}`));
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json", ...more };
  let left = requests;
  let bytes = 0;
  const worker = async () => {
    while (left-- > 0) {
      const answer = await pool.request({ method: "POST", path, headers, body });
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${await answer.body.text()}`);
      for await (const chunk of answer.body) bytes += chunk.length;
    }
  };
  const started = performance.now();
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - started) / 1000;
  await pool.close();
  process.send({ seconds, bytes });
}
process.send({ ready: true });
