/**
 * What a running gateway says, for completion: quickly, or not at all. It is read without the typed client, whose schemas
 * take longer to load than a user waits at a Tab; what comes is checked field by field by the caller.
 */
import { request } from "node:http";
import { join, resolve } from "node:path";
import { homeDirectory } from "../../kernel/home-directory.ts";
import { sendBounded } from "../../kernel/bounded-request.ts";

export interface RunningGateway {
  /** On this machine, so that the addresses in its policy mean the same here. */
  readonly isHere: boolean;
  /** JSON at that path of the admin API. Throws where no gateway replies in time. */
  read(path: string): Promise<unknown>;
}

const TIMEOUT_MS = 1_000;
const ANSWER_BYTES_MAX = 8 * 1024 * 1024;

/** As `connect.ts` finds it, but for a data directory that no gateway serves: a Tab opens none. */
export function runningGateway(
  env: Readonly<Record<string, string | undefined>>,
  data: string | undefined,
): RunningGateway {
  const { SALLYPORT_ADMIN_URL: url = "", SALLYPORT_ADMIN_KEY: key = "", SALLYPORT_DATA: given = "" } = env;
  if (data === undefined && url !== "") return { isHere: false, read: (path) => readNetwork(url, key, path) };
  const home = homeDirectory() ?? "/";
  // The shell gives the words of a line as they were typed.
  const typed = data?.startsWith("~/") ? join(home, data.slice(2)) : data;
  const directory = typed ?? (given === "" ? join(home, ".sallyport") : given);
  const socketPath = join(resolve(directory), "admin.sock");
  return { isHere: true, read: (path) => readSocket(socketPath, path) };
}

async function readNetwork(url: string, key: string, path: string): Promise<unknown> {
  const { demandSafeTransport } = await import("@sallyport/client");
  const { origin } = new URL(url);
  demandSafeTransport(origin);
  const headers = { authorization: `Bearer ${key}` };
  return read(await sendBounded({ method: "GET", url: origin + path, headers, timeoutMs: TIMEOUT_MS }));
}

async function readSocket(socketPath: string, path: string): Promise<unknown> {
  return read(
    await new Promise((done, reject) => {
      const options = { socketPath, path, agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) } as const;
      const sent = request(options, (answer) => {
        const chunks: Buffer[] = [];
        let size = 0;
        answer.on("data", (chunk: Buffer) => {
          if ((size += chunk.length) > ANSWER_BYTES_MAX) answer.destroy(new Error("the answer is too long"));
          else chunks.push(chunk);
        });
        answer.on("error", reject);
        answer.on("end", () => done({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
      });
      sent.on("error", reject).end();
    }),
  );
}

function read({ status, text }: { readonly status: number; readonly text: string }): unknown {
  if (status !== 200) throw new Error(`the gateway replied ${status}`);
  return JSON.parse(text);
}
