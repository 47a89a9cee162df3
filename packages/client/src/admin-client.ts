/**
 * The admin API as functions, typed by the contract, whose rows it walks. Denials are thrown as the server's `Problem`.
 */
import { isProblemCode, Problem } from "@sallyport/protocol";
import { auditRecordView, contract } from "@sallyport/contract";
import type {
  Answer,
  AuditRecordView,
  BodyInput,
  ContractRow,
  Params,
  ProblemBody,
  QueryInput,
  RouteName,
  TailQuery,
} from "@sallyport/contract";
import { reach } from "./reach.ts";
import type { AdminTarget, Reach, Reached } from "./reach.ts";
import { readEvents } from "./server-sent-events.ts";

/** What a route needs to be told: `params` and `body` where its row has them, `query` where wanted. */
export type CallInput<N extends RouteName> = Part<"params", Params<N>> &
  Part<"body", BodyInput<N>> & { readonly query?: QueryInput<N> | undefined };

type Part<K extends string, T> = T extends undefined
  ? { readonly [P in K]?: undefined }
  : string extends keyof T // the empty object of rows without parameters
    ? { readonly [P in K]?: T }
    : { readonly [P in K]: T };

/** Routes with nothing that must be told may be called without input. */
type CallArguments<N extends RouteName> =
  Record<string, never> extends CallInput<N> ? [input?: CallInput<N>] : [input: CallInput<N>];

export class AdminClient {
  readonly #reach: Reach;

  constructor(target: AdminTarget) {
    this.#reach = reach(target);
  }

  /**
   * Calls one route of the contract. Throws the server's `Problem`; for a server that cannot be reached, or a response
   * that the contract does not know, another error.
   */
  async call<N extends RouteName>(name: N, ...given: CallArguments<N>): Promise<Answer<N>> {
    const row: ContractRow = contract[name];
    // All rows' inputs together are more than the compiler represents.
    const [input = {}] = given as readonly unknown[] as readonly { params?: object; query?: object; body?: object }[];
    const { params, query, body } = input;
    const path = fillPath(row.path, params ?? {}) + queryText(query ?? {});
    const sent = row.body === null ? undefined : JSON.stringify(body ?? {});
    const reached = await this.#reach.send(row.method, path, sent);
    const said = readAnswer(reached);
    if (reached.status >= 400) throw readProblem(reached.status, said);
    const read = row.answer.safeParse(said);
    if (read.success) return read.data as Answer<N>;
    const where = read.error.issues
      .slice(0, 3)
      .map(({ path }) => path.join(".") || "the whole")
      .join(", ");
    throw new Error(`the server's answer to ${name} is not of this version's form (${where}): compare the versions`);
  }

  /**
   * Audit records as they are written, until the loop over them ends or the server ends it. Continues after `after`
   * when the connection breaks, so no record is lost or repeated. Throws the server's `Problem` for a denial, and a
   * `TailEnded` when the server ends the tail.
   */
  async *tail(query: TailQuery, wait: (ms: number) => Promise<unknown> = pause): AsyncGenerator<AuditRecordView> {
    let last = query.after === undefined ? undefined : Number(query.after);
    for (let failures = 0; ;) {
      let broken: unknown = new Error("the connection of the tail ended");
      try {
        const headers: Record<string, string> = last === undefined ? {} : { "last-event-id": String(last) };
        const { status, chunks } = await this.#reach.stream(`/v1/audit/tail${queryText(query)}`, headers);
        if (status !== 200) throw await refusalIn(status, chunks);
        for await (const { event, data } of readEvents(chunks)) {
          const said: unknown = JSON.parse(data);
          if (event === "end") throw new TailEnded(said as { code: string; says: string });
          if (event !== "message") continue;
          const record = auditRecordView.parse(said);
          failures = 0;
          last = record.seq;
          yield record;
        }
      } catch (cause) {
        if (cause instanceof Problem || cause instanceof TailEnded) throw cause;
        broken = cause;
      }
      // Without a record there is nothing to go on after: what came meanwhile would be missing.
      if (last === undefined || ++failures > RECONNECTS_MAX) throw broken;
      await wait(RECONNECT_MS * 2 ** (failures - 1));
    }
  }

  close(): Promise<void> {
    return this.#reach.close();
  }
}

/** The server ended a tail, and said why. */
export class TailEnded extends Error {
  readonly code: string;

  constructor({ code, says }: { readonly code: string; readonly says: string }) {
    super(says);
    this.name = "TailEnded";
    this.code = code;
  }
}

const RECONNECTS_MAX = 5;
const RECONNECT_MS = 500;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function refusalIn(status: number, chunks: AsyncIterable<Uint8Array>): Promise<Error> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of chunks) text += decoder.decode(chunk, { stream: true });
  return readProblem(status, readAnswer({ status, text }));
}

function fillPath(path: string, params: object): string {
  const values = new Map(Object.entries(params).map(([name, value]) => [name, String(value)]));
  return path.replace(/:([a-z]+)/g, (_segment, name: string) => {
    const value = values.get(name) ?? "";
    // The server accepts no escapes in a path: what would need one names nothing there.
    if (!/^[0-9A-Za-z_-]{1,64}$/.test(value))
      throw new Problem("input_invalid", `${JSON.stringify(value)} is not an id or name`);
    return value;
  });
}

function queryText(query: object): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const text = search.toString();
  return text === "" ? "" : `?${text}`;
}

function readAnswer({ status, text }: Reached): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new Error(
      `the server answered ${status} with something that is not JSON: is this Sallyport's admin address?`,
      { cause },
    );
  }
}

function readProblem(status: number, said: unknown): Error {
  const body = (typeof said === "object" && said !== null ? said : {}) as Partial<ProblemBody>;
  if (typeof body.code !== "string" || !isProblemCode(body.code))
    return new Error(`the server answered ${status} without a code it shares with us`);
  const mistakes = Array.isArray(body.mistakes) ? body.mistakes.map(String) : [];
  return new Problem(body.code, body.detail, mistakes);
}
