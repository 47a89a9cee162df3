// The model server of the bench: answers with a stream of small chunks, the first after a while, or with one small object,
// as the field `stream` of the request says; under /v1 in OpenAI's dialect, which is what every peer speaks, elsewhere in
// Ollama's. Embeddings are 384 numbers.
// Its own cost is not measured; it is the same for everyone.
import { createServer } from "node:http";

const chunks = Number(process.env.CHUNKS ?? 64);
const firstMs = Number(process.env.FIRST_MS ?? 20);
// Between two chunks; a request may ask for its own.
const usualGapMs = Number(process.env.GAP_MS ?? 0);
// Each chunk says when its request was read and when it was sent, so that this server's own lateness can be left out.
const isStamped = process.env.STAMPS === "1";
/** Microseconds of the machine's clock, the same in every process. */
const nowUs = () => Math.round(Number(process.hrtime.bigint()) / 1000);

const ollama = {
  type: "application/x-ndjson",
  line: (text) =>
    `{"model":"llama3.2","created_at":"2026-11-23T04:23:30.080106223Z","message":{"role":"assistant","content":"${text}"},"done":false}\n`,
  last: '{"model":"llama3.2","created_at":"2026-11-23T04:23:31.080106223Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","total_duration":309791721,"load_duration":263481497,"prompt_eval_count":24,"prompt_eval_duration":25731000,"eval_count":64,"eval_duration":861000}\n',
  whole:
    '{"model":"llama3.2","created_at":"2026-11-23T04:23:31.080106223Z","message":{"role":"assistant","content":"hello"},"done":true,"done_reason":"stop","prompt_eval_count":24,"eval_count":1}',
};
const openai = {
  type: "text/event-stream",
  line: (text) =>
    `data: {"id":"chatcmpl-431","object":"chat.completion.chunk","created":1795408,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":"${text}"},"finish_reason":null}]}\n\n`,
  last: 'data: {"id":"chatcmpl-431","object":"chat.completion.chunk","created":1795408,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n',
  whole:
    '{"id":"chatcmpl-512","object":"chat.completion","created":1795408,"model":"llama3.2","system_fingerprint":"fp_ollama","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},"finish_reason":"stop"}],"usage":{"prompt_tokens":24,"completion_tokens":1,"total_tokens":25}}',
};
const ready = ({ type, line, last, whole }) => ({
  type,
  lines: Array.from({ length: chunks }, (_, i) => Buffer.from(line(` word${i}`))),
  last: Buffer.from(last),
  whole: Buffer.from(whole),
});
const numbers = Array.from({ length: 384 }, (_, i) => Math.sin(i + 1).toFixed(9));
const embedding = Buffer.from(
  `{"model":"llama3.2","embeddings":[[${numbers.join(",")}]],"total_duration":14143917,"load_duration":1019500,"prompt_eval_count":8}`,
);
const dialects = { ollama: ready(ollama), openai: ready(openai) };

createServer((request, response) => {
  // Asked for its models, to know which of them are remote: none.
  if (request.method === "GET") {
    response.writeHead(200, { "content-type": "application/json" }).end('{"models":[]}');
    return;
  }
  let body = "";
  request.setEncoding("latin1");
  request.on("data", (chunk) => (body += chunk));
  request.on("end", () => {
    const readUs = nowUs();
    const isOpenAi = request.url.startsWith("/v1/");
    const { type, lines, last, whole } = isOpenAi ? dialects.openai : dialects.ollama;
    const isEmbedding = request.url.endsWith("/embed");
    // Ollama streams unless told not to, OpenAI only when told to.
    const { stream = !isOpenAi } = JSON.parse(body);
    if (isEmbedding || !stream) {
      const answer = isEmbedding ? embedding : whole;
      response
        .writeHead(200, { "content-type": "application/json; charset=utf-8", "content-length": answer.length })
        .end(answer);
      return;
    }
    const gapMs = Number(/gap=([1-9]\d*);/.exec(body)?.[1] ?? usualGapMs);
    response.writeHead(200, { "content-type": type });
    let sent = 0;
    const next = () => {
      // One write a chunk and one turn of the loop between two: chunks arrive one by one, as tokens do.
      if (response.destroyed) return;
      if (sent === lines.length) {
        response.end(last);
        return;
      }
      response.write(isStamped ? ollama.line(`read=${readUs};sent=${nowUs()};`) : lines[sent]);
      sent++;
      if (gapMs > 0) setTimeout(next, gapMs);
      else setImmediate(next);
    };
    setTimeout(next, firstMs);
  });
}).listen(0, "127.0.0.1", function () {
  process.send({ url: `http://127.0.0.1:${this.address().port}` });
});
