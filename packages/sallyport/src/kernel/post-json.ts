/** One POST of a JSON text over node's own client: no redirects, bounded in time, the answer read up to a bound. */
import { Agent as PlainAgent, request as plainRequest } from "node:http";
import { Agent as TlsAgent, request as tlsRequest } from "node:https";

export interface Posted {
  readonly status: number;
  readonly text: string;
}

export interface Poster {
  /** Rejects where no answer came. */
  post(text: string, headers?: Readonly<Record<string, string>>): Promise<Posted>;
  close(): void;
}

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 64 * 1024;

export function makePoster(url: string): Poster {
  const isTls = url.startsWith("https:");
  const agent = new (isTls ? TlsAgent : PlainAgent)({ keepAlive: true, maxSockets: 1 });
  const headers = { "content-type": "application/json", "user-agent": "sallyport" };
  return {
    post: (text, more = {}) =>
      new Promise((resolve, reject) => {
        const signal = AbortSignal.timeout(TIMEOUT_MS);
        const length = { "content-length": Buffer.byteLength(text) };
        const options = { method: "POST", agent, signal, headers: { ...headers, ...more, ...length } };
        const sent = (isTls ? tlsRequest : plainRequest)(url, options, (answer) => {
          let said = "";
          answer.setEncoding("utf8");
          answer.on("data", (chunk: string) => {
            if (said.length < ANSWER_BYTES_MAX) said += chunk;
          });
          answer.on("error", reject).on("end", () => resolve({ status: answer.statusCode ?? 0, text: said }));
        });
        sent.on("error", reject).end(text);
      }),
    close: () => agent.destroy(),
  };
}
