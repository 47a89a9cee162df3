/** Calls of the admin API by the contract: its types, and a table of methods and paths that the build writes. */
import type { Answer, Body, Params, ProblemBody, Query, RouteName } from "@sallyport/contract";
import routes from "virtual:routes";
import { saySessionEnded } from "./session-end.ts";
import { sessionToken } from "./session-token.ts";

/** What the gateway answers instead. */
export class CallProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly remedy: string;
  readonly mistakes: readonly string[];

  constructor(status: number, { title, detail, code, remedy, mistakes }: Partial<ProblemBody>) {
    super(detail === undefined ? (title ?? `status ${status}`) : `${title}: ${detail}`);
    this.status = status;
    this.code = code ?? "fault";
    this.remedy = remedy ?? "";
    this.mistakes = mistakes ?? [];
  }
}

export interface Asked<N extends RouteName> {
  readonly params?: Partial<Record<keyof Params<N>, string | number>>;
  readonly query?: Partial<Record<keyof Query<N>, string | number | undefined>>;
  readonly body?: Partial<Body<N>>;
}

/** Rejects with `CallProblem`, or with what the browser says where no answer came. */
export async function call<N extends RouteName>(
  name: N,
  asked: Asked<N> = {},
  signal?: AbortSignal,
): Promise<Answer<N>> {
  const [method, path] = routes[name]!;
  return (await ask(method, pathOf(path, asked.params ?? {}, asked.query ?? {}), asked.body, signal)) as Answer<N>;
}

/** Any request to the gateway, with the session. */
export async function ask(method: string, path: string, body?: object, signal?: AbortSignal): Promise<unknown> {
  const token = sessionToken();
  const answer = await fetch(path, {
    method,
    credentials: "same-origin",
    cache: "no-store",
    redirect: "error",
    ...(signal && { signal }),
    headers: {
      accept: "application/json",
      ...(token !== null && { "x-sallyport-console": token }),
      ...(body && { "content-type": "application/json" }),
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  const said: unknown = await answer.json().catch(() => ({}));
  // Nothing is said of a session that has been replaced meanwhile.
  if (answer.status === 401 && token !== null && token === sessionToken()) saySessionEnded();
  if (!answer.ok) throw new CallProblem(answer.status, said as Partial<ProblemBody>);
  return said;
}

function pathOf(path: string, params: object, query: object): string {
  const filled = path.replaceAll(/:([a-z]+)/g, (_, name: string) =>
    encodeURIComponent(String((params as Record<string, string | number | undefined>)[name] ?? "")),
  );
  const asked = Object.entries(query).flatMap(([name, value]) =>
    value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return asked.length === 0 ? filled : `${filled}?${new URLSearchParams(asked).toString()}`;
}
