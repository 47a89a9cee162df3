/** The admin API as functions: typed by the contract, whose rows it walks. Refusals come back as the `Problem` the server had. */
import { isProblemCode, Problem } from "@sallyport/protocol";
import { contract } from "@sallyport/protocol/contract";
import type {
  Answer,
  BodyInput,
  ContractRow,
  Params,
  ProblemBody,
  QueryInput,
  RouteName,
} from "@sallyport/protocol/contract";
import { reach } from "./reach.ts";
import type { AdminTarget, Reach, Reached } from "./reach.ts";

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
   * Calls one route of the contract. Throws the server's `Problem`; a server that cannot be reached, or answers what is
   * no answer of the contract, throws another error.
   */
  async call<N extends RouteName>(name: N, ...[input]: CallArguments<N>): Promise<Answer<N>> {
    const row: ContractRow = contract[name];
    const { params, query, body } = (input ?? {}) as { params?: object; query?: object; body?: object };
    const path = fillPath(row.path, params ?? {}) + queryText(query ?? {});
    const sent = row.body === null ? undefined : JSON.stringify(body ?? {});
    const reached = await this.#reach.send(row.method, path, sent);
    const said = readAnswer(reached);
    if (reached.status >= 400) throw readProblem(reached.status, said);
    return row.answer.parse(said) as Answer<N>;
  }

  close(): Promise<void> {
    return this.#reach.close();
  }
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
