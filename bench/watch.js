// Many streams at once, watched token by token: time to the first, the time between two, the longest silence; and where the
// model server stamps its chunks, how long each was on its way, and the first with the way of its request.
import { Pool } from "undici";

const STAMP = /read=(\d+);sent=(\d+);/;

process.send({ ready: true });
process.on("message", (asked) => void watch(asked));

async function watch({ url, key, streams, rounds, spreadMs }) {
  const pool = new Pool(url, { connections: streams, pipelining: 1 });
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = '{"model":"llama3.2","messages":[{"role":"user","content":"hello"}],"stream":true}';
  const firsts = [];
  const gaps = [];
  const ways = { first: [], next: [] };
  let lines = 0;
  const one = async (_, at) => {
    // Spread over the length of a stream: streams that all begin in one instant measure a queue, not a relay.
    await new Promise((resolve) => setTimeout(resolve, (at * spreadMs) / streams));
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      const startedUs = nowUs();
      const answer = await pool.request({ method: "POST", path: "/api/chat", headers, body });
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${await answer.body.text()}`);
      let last = 0;
      for await (const chunk of answer.body) {
        const now = performance.now();
        for (const byte of chunk) if (byte === 0x0a) lines++;
        const stamp = STAMP.exec(chunk.toString("latin1"));
        if (stamp) {
          const wayMs = (nowUs() - Number(stamp[2])) / 1000;
          if (last === 0) ways.first.push(wayMs + (Number(stamp[1]) - startedUs) / 1000);
          else ways.next.push(wayMs);
        }
        if (last === 0) firsts.push(now - started);
        else gaps.push(now - last);
        last = now;
      }
    }
  };
  await Promise.all(Array.from({ length: streams }, one));
  await pool.close();
  process.send({
    first: quantiles(firsts),
    gap: quantiles(gaps),
    firstWay: quantiles(ways.first),
    nextWay: quantiles(ways.next),
    streams,
    lines,
  });
}

/** Microseconds of the machine's clock, the same in every process. */
function nowUs() {
  return Math.round(Number(process.hrtime.bigint()) / 1000);
}

function quantiles(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { p50: at(0.5), p99: at(0.99), longest: sorted.at(-1) };
}
