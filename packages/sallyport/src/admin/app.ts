/**
 * The admin API: a router made by walking the contract, so that it serves only routes that the contract names (except
 * the metrics, which are not JSON, and what standards shape differently: SCIM and identity providers' messages). Each
 * call has a fixed order: who calls, may they, what do they say (only now is the body read), do it, respond in the
 * contract's shape.
 */
import { Hono } from "hono";
import type { Context } from "hono";
import { Problem } from "@sallyport/protocol";
import { contract } from "@sallyport/contract";
import type { ContractRow, RouteName } from "@sallyport/contract";
import type { Call } from "./call.ts";
import { authenticate } from "./caller.ts";
import type { AdminCaller, Caller } from "./caller.ts";
import { ConsoleFiles } from "./console/console-files.ts";
import { endSession, openSession, SESSION_PATH, SESSIONS_PATH, showSession } from "./console/console-routes.ts";
import { CallerShares } from "./caller-shares.ts";
import { gatedPorts } from "./gated-ports.ts";
import { answerHealth } from "./health.ts";
import { handlers } from "./handlers.ts";
import { answerMetrics, metricsRoute } from "./metrics-route.ts";
import type { AdminPorts } from "./ports.ts";
import { answerProblem, answerText } from "./problem-answer.ts";
import { readRequest } from "./read-request.ts";
import type { AdmitScim } from "./scim/scim-server.ts";
import { GITHUB_LEAKS_PATH, makeLeakRoutes, WEBHOOK_LEAKS_PATH } from "./leak-routes.ts";
import { LOG_OUT_PATH, makeSignalRoutes, PUSH_PATH } from "./signal-routes.ts";
import { eventsRoute, EventStreams } from "./events/events-route.ts";
import { tailRoute, Tails } from "./tail-route.ts";
import { writeAnswer } from "./write-answer.ts";
import { RefusalRecord } from "./refusal-record.ts";

export interface AdminApp {
  /** Always resolves with an answer; nothing that breaks inside leaves as a rejection. */
  handle(request: Request, caller: AdminCaller): Promise<Response>;
  /**
   * Makes the first call as short as the others: the router builds its table with the first request, and what reads and
   * writes requests is loaded then. Both would be a long turn for whatever streams at that moment.
   */
  warmUp(): Promise<void>;
  /** Ends what would continue forever: tails of the audit log. Call it before the listeners close. */
  close(): Promise<void>;
}

/** What went wrong unexpectedly, for the log. */
export type OnFault = (error: unknown) => void;

interface Bindings {
  readonly Bindings: { readonly caller: AdminCaller };
}

export function makeAdminApp(ports: AdminPorts, onFault: OnFault = () => undefined): AdminApp {
  const router = new Hono<Bindings>();
  const refusals = new RefusalRecord(ports);
  const shares = new CallerShares(ports.clock);

  async function admit(
    name: string,
    row: Pick<ContractRow, "caller" | "permission">,
    context: Context<Bindings>,
    isUse = true,
  ): Promise<Caller> {
    let actor = "unauthenticated";
    try {
      // A key that was revoked after the backup must not administer the gateway either.
      if (context.env.caller.kind === "tcp" && ports.quarantine.restored()) throw new Problem("restore_unconfirmed");
      return permitted(ports, row, context, { isUse, onActor: (known) => (actor = known) });
    } catch (problem) {
      const address = addressOf(context.env.caller);
      if (problem instanceof Problem) await refusals.note({ problem, route: name, actor, address });
      throw problem;
    }
  }

  async function enterConsole(request: Request, address: string | null): Promise<Response> {
    if (ports.quarantine.restored()) throw new Problem("restore_unconfirmed");
    try {
      return await openSession(ports, request, address);
    } catch (problem) {
      // A link that was used already by someone else is a sign of theft.
      if (problem instanceof Problem && problem.code === "console_link_unknown")
        await refusals.note({ problem, route: "console", actor: "unauthenticated", address });
      throw problem;
    }
  }

  for (const name of Object.keys(contract) as RouteName[]) {
    const row: ContractRow = contract[name];
    // Each handler fits its own row; what joins the two here is the schema that has just read the request.
    const handler = handlers[name] as (call: Call<RouteName>) => unknown;
    router.on(row.method, [row.path], async (context) => {
      const caller = await admit(name, row, context);
      const leave = shares.enter(name, caller);
      try {
        const read = await readRequest(row, context.req.param(), context.req.raw);
        const answer = await handler({ ports: gatedPorts(ports, caller), caller, ...read } as Call<RouteName>);
        return answerText(row.status, await writeAnswer(row.answer, answer));
      } finally {
        leave();
      }
    });
  }
  router.on(metricsRoute.method, [metricsRoute.path], async (context) => {
    const caller = await admit(metricsRoute.name, metricsRoute, context);
    const leave = shares.enter(metricsRoute.name, caller);
    try {
      return answerMetrics(ports, caller, context.req.raw);
    } finally {
      leave();
    }
  });
  const tails = new Tails(ports);
  router.on(tailRoute.method, [tailRoute.path], async (context) => {
    const caller = await admit(tailRoute.name, tailRoute, context);
    // A tail that runs is bounded by itself (tail-route).
    shares.enter(tailRoute.name, caller)();
    // Asked again while the tail goes on, so that it ends when the right does.
    const again = (): Caller => permitted(ports, tailRoute, context);
    return tails.answer(caller, again, context.req.raw);
  });
  const streams = new EventStreams(ports);
  router.on(eventsRoute.method, [eventsRoute.path], async (context) => {
    const caller = await admit(eventsRoute.name, eventsRoute, context, false);
    // As a tail.
    shares.enter(eventsRoute.name, caller)();
    const again = (): Caller => permitted(ports, eventsRoute, context, { isUse: false });
    return streams.answer(caller, again, context.req.raw);
  });
  router.all("/scim/v2/*", async (context) => {
    const { answerScim } = await import("./scim/scim-server.ts");
    let leave = (): void => undefined;
    const admitScim: AdmitScim = async (permission) => {
      const caller = await admit("scim", { caller: "any", permission }, context);
      leave = shares.enter("scim", caller);
      return caller;
    };
    try {
      return await answerScim(ports, admitScim, context.req.raw);
    } finally {
      leave();
    }
  });
  const files = new ConsoleFiles();
  const showFile = (context: Context<Bindings>): Response => files.answer(context.req.path);
  router.get("/", showFile);
  router.get("/assets/:name", showFile);
  const admitToConsole = (context: Context<Bindings>): Promise<Caller> =>
    admit("console", { caller: "any", permission: "status:read" }, context);
  router.post(SESSION_PATH, ({ env, req }) => enterConsole(req.raw, addressOf(env.caller)));
  router.get(SESSION_PATH, async (context) => showSession(ports, await admitToConsole(context)));
  router.delete(SESSION_PATH, async (context) => endSession(ports, await admitToConsole(context), null));
  router.delete(SESSIONS_PATH, async (context) =>
    endSession(ports, await admitToConsole(context), context.req.param("id") ?? null),
  );
  const signals = makeSignalRoutes(ports);
  router.post(PUSH_PATH, (context) => signals.push(context.req.raw));
  router.post(LOG_OUT_PATH, ({ env, req }) => signals.logOut(req.raw, addressOf(env.caller)));
  const leaks = makeLeakRoutes(ports);
  router.post(GITHUB_LEAKS_PATH, ({ env, req }) => leaks.github(req.raw, addressOf(env.caller)));
  router.post(WEBHOOK_LEAKS_PATH, ({ env, req }) => leaks.webhook(req.raw, addressOf(env.caller)));
  for (const path of [PUSH_PATH, LOG_OUT_PATH, GITHUB_LEAKS_PATH, WEBHOOK_LEAKS_PATH, "/", SESSION_PATH, SESSIONS_PATH])
    router.all(path, () => answerProblem(new Problem("method_not_allowed")));
  for (const path of new Set(
    [...Object.values(contract), metricsRoute, tailRoute, eventsRoute].map((row) => row.path),
  )) {
    router.all(path, () => answerProblem(new Problem("method_not_allowed")));
  }
  router.notFound(() => answerProblem(new Problem("endpoint_unknown")));
  router.onError((error) => {
    if (error instanceof Problem) return answerProblem(error);
    onFault(error);
    return answerProblem(new Problem("fault"));
  });

  return {
    async handle(request, caller) {
      const health = answerHealth(request, ports);
      if (health) return health;
      // The router would answer HEAD as GET; the contract does not know it.
      if (request.method === "HEAD") return answerProblem(new Problem("method_not_allowed"));
      return router.fetch(request, { caller });
    },
    async warmUp() {
      await router.fetch(new Request("http://localhost/v1/no-such-route"), { caller: { kind: "socket", user: "" } });
      if (hasProvisionedPeople(ports)) await import("./scim/scim-server.ts");
    },
    async close() {
      streams.close();
      await tails.close();
      await ports.reads.flush();
    },
  };
}

/** The client's; null where it is not known. */
function addressOf(caller: AdminCaller): string | null {
  return (caller.kind === "tcp" && caller.address) || null;
}

/** A provisioning client will come again. */
function hasProvisionedPeople({ snapshot }: Pick<AdminPorts, "snapshot">): boolean {
  for (const { external } of snapshot().principals.values()) if (external?.scim) return true;
  return false;
}

interface Admission {
  /** False for what goes on without the person: it does not keep a session from ending. */
  readonly isUse?: boolean;
  /** Learns who it is even if not permitted. */
  readonly onActor?: (actor: string) => void;
}

/** The caller, if permitted. */
function permitted(
  ports: AdminPorts,
  row: Pick<ContractRow, "caller" | "permission">,
  context: Context<Bindings>,
  { isUse = true, onActor }: Admission = {},
): Caller {
  const caller = authenticate(ports, context.env.caller, context.req.raw, isUse);
  onActor?.(caller.issuer.actor);
  if (row.caller === "socket" && caller.kind !== "socket")
    throw new Problem("permission_denied", "only on the gateway host");
  if (!caller.issuer.right.permissions.includes(row.permission)) throw new Problem("permission_denied", row.permission);
  return caller;
}
