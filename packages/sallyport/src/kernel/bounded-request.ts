/** One request over node's own client to an address from the configuration: no redirects, bounded in time, the answer in size. */
import { request as plainRequest } from "node:http";
import { request as tlsRequest } from "node:https";

export interface BoundedRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly timeoutMs?: number;
}

export interface BoundedAnswer {
  readonly status: number;
  readonly text: string;
}

/** Rejects where no whole answer within the bounds came. */
export type SendBounded = (request: BoundedRequest) => Promise<BoundedAnswer>;

const TIMEOUT_MS = 10_000;
const ANSWER_BYTES_MAX = 4 * 1024 * 1024;

export const sendBounded: SendBounded = ({ method, url, headers = {}, body, timeoutMs = TIMEOUT_MS }) =>
  new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const signal = AbortSignal.timeout(timeoutMs);
    const options = {
      method,
      signal,
      agent: false,
      headers: { "user-agent": "sallyport", ...headers, ...length },
    } as const;
    const sent = (url.startsWith("https:") ? tlsRequest : plainRequest)(url, options, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > ANSWER_BYTES_MAX) answer.destroy(new Error("the answer is too long"));
        else chunks.push(chunk);
      });
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    });
    sent.on("error", reject).end(body);
  });
