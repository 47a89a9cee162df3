/**
 * The OpenAPI document, judged by code that is not ours, and followed by a client that knows nothing else: it fetches the
 * document from a running gateway, builds each request from it, and holds each answer against it.
 */
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contract, openApiDocument } from "@sallyport/contract";
import type { ContractRow } from "@sallyport/contract";
import { openGateway, openStore, systemClock } from "../program-under-test.ts";
import { storedLine, storedReview } from "../review-rows.ts";
import { startGateway } from "../gateway/started-gateway.ts";
import type { StartedGateway } from "../gateway/started-gateway.ts";

interface Operation {
  readonly operationId: string;
  readonly "x-caller": "any" | "socket";
  readonly parameters: readonly { name: string; in: "path" | "query"; required: boolean; example?: string }[];
  readonly requestBody?: { readonly content: Media<"application/json"> };
  readonly responses: Readonly<Record<string, { readonly content: Media<string>; readonly links?: Links }>>;
}
type Media<T extends string> = Readonly<Record<T, { readonly schema: object; readonly example?: unknown }>>;
type Links = Readonly<
  Record<
    string,
    {
      readonly operationId: string;
      readonly parameters?: Readonly<Record<string, string>>;
      readonly requestBody?: Readonly<Record<string, unknown>>;
    }
  >
>;
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Answered {
  readonly status: number;
  readonly type: string;
  readonly body: Record<string, unknown>;
}

/** What links have said so far about requests to come, by operation. */
type Told = Map<string, { parameters: Record<string, string>; body: object | undefined }>;

let gateway: StartedGateway;
let document: Document;

function call(
  way: { method: string; path: string; body?: unknown; socketPath?: string },
  key: string | null,
): Promise<Answered> {
  const { hostname, port } = new URL(gateway.gateway.adminUrl);
  const headers = {
    host: `${hostname}:${port}`,
    ...(key === null ? {} : { authorization: `Bearer ${key}` }),
    ...(way.body === undefined ? {} : { "content-type": "application/json" }),
  };
  const where = way.socketPath === undefined ? { hostname, port } : { socketPath: way.socketPath };
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ ...where, method: way.method, path: way.path, headers, agent: false }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      answer.on("end", () =>
        resolve({
          status: answer.statusCode ?? 0,
          type: String(answer.headers["content-type"]).split(";")[0]!,
          body: JSON.parse(text) as Record<string, unknown>,
        }),
      );
    });
    sent.on("error", reject);
    sent.end(way.body === undefined ? undefined : JSON.stringify(way.body));
  });
}

/** Holds an answer against what the operation says of its status. */
function expectDescribed(operation: Operation, answered: Answered): void {
  const said = operation.responses[answered.status] ?? operation.responses["default"]!;
  expect(Object.keys(said.content)).toEqual([answered.type]);
  const { $ref } = said.content[answered.type]!.schema as { $ref: string };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema(document, "doc");
  const validate = ajv.getSchema(`doc${$ref}`)!;
  expect(validate(answered.body), JSON.stringify(validate.errors)).toBe(true);
}

/** Follows runtime expressions of the one form the document uses. */
function resolved<V>(value: Readonly<Record<string, V>>, body: Record<string, unknown>): Record<string, V | string> {
  return Object.fromEntries(
    Object.entries(value).map(([name, text]) => {
      const field = typeof text === "string" ? /^\$response\.body#\/(\w+)$/.exec(text)?.[1] : undefined;
      return [name, field === undefined ? text : String(body[field])];
    }),
  );
}

function remember(told: Told, { links = {} }: { readonly links?: Links }, body: Record<string, unknown>): void {
  for (const { operationId, parameters = {}, requestBody } of Object.values(links))
    told.set(operationId, { parameters: resolved(parameters, body), body: requestBody && resolved(requestBody, body) });
}

const [OPEN, DUE, CLOSED] = ["rev_000000000001", "rev_000000000002", "rev_000000000003"] as const;
/** The review that is in a state for the operation; others are made by the start. */
const REVIEW_OF: Readonly<Record<string, string>> = {
  "reviews.open": OPEN,
  "reviews.decide": OPEN,
  "reviews.delegate": OPEN,
  "reviews.close": DUE,
  "reviews.restore": CLOSED,
  "reviews.export": CLOSED,
  "reviews.records": CLOSED,
  "reviews.report": CLOSED,
};

/** An open review, one whose end has come, and one that is closed and has removed an assignment. */
async function keepReviews(): Promise<void> {
  await gateway.gateway.close(1_000);
  const { settings, directory } = gateway;
  const store = await openStore({ directory, clock: systemClock, ledger: settings.ledger });
  const right = { roles: [], allow: ["infer:chat"], models: ["llama3.2"] };
  const gone = { id: "a_1", subject: { group: "ops" }, environment: "dev", source: "admin", right };
  const outcome = { what: "suspended", at: 1, says: "x", undo: JSON.stringify(gone) } as const;
  const dueAt = Date.now() + 86_400_000;
  await store.change({
    operations: [
      { op: "review.put", review: storedReview({ id: OPEN, scope: "privileged", dueAt }) },
      { op: "review.put", review: storedReview({ id: DUE, scope: "privileged" }) },
      { op: "review.put", review: storedReview({ id: CLOSED, state: "closed" }) },
      {
        op: "review.freeze",
        lines: [
          storedLine({ review: OPEN }),
          storedLine({ review: OPEN, line: 2 }),
          storedLine({ review: DUE, status: "decided" }),
          storedLine({ review: CLOSED, line: 2, status: "ended", outcome }, "assignment:a_1"),
        ],
      },
    ],
    events: [{ type: "review.started", at: Date.now(), environment: "dev", actor: "os:root", fields: {} }],
  });
  await store.close();
  gateway.gateway = await openGateway(settings);
}

beforeAll(async () => {
  gateway = await startGateway({ environmentYaml: "    pathSecrets: allow\n    networks: [127.0.0.0/8]\n" });
  await keepReviews();
  document = await gateway.admin<Document & Record<string, unknown>>("GET", "/v1/openapi.json");
});
afterAll(() => gateway.stop());

describe("the document", () => {
  it("is valid OpenAPI 3.1", async () => {
    const validator = new Validator();
    expect(await validator.validate({ ...structuredClone(document) })).toEqual({ valid: true });
    expect(validator.version).toBe("3.1");
  });

  it("is the contract, with no row left out", () => {
    const { version } = openApiDocument("x")["info"] as { version: string };
    expect(version).toBe("x");
    const ids = Object.values(document.paths).flatMap((path) => Object.values(path).map((one) => one.operationId));
    expect(ids.toSorted()).toEqual(Object.keys(contract).toSorted());
  });

  it.each(Object.entries<ContractRow>(contract))("%s: its example is of its own shapes", (_, row) => {
    if (row.body !== null && row.path.startsWith("/v1/")) expect(row.example?.body).toBeDefined();
    if (row.path.includes(":name")) expect(row.example?.params).toBeDefined();
    if (row.example?.body) expect(row.body?.safeParse(row.example.body).error).toBeUndefined();
    if (row.example?.params) expect(row.params.safeParse(row.example.params).error).toBeUndefined();
  });
});

const ROTATION = new Map([
  ["keys.finish", 0.5],
  ["keys.rotate", 0.6],
]);

it("a client that knows only the document calls every operation, and every answer is as described", async () => {
  const told: Told = new Map();
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  // What makes things comes before what takes their ids, what ends them after, and what ends every admin key last.
  // An incident stops its key: after what keys are for.
  const rank = ({ operation }: { operation: Operation }): number =>
    operation.operationId === "adminKeys.reset"
      ? 3
      : // A rotation whose new secret is unused cannot be finished.
        ROTATION.has(operation.operationId)
        ? ROTATION.get(operation.operationId)!
        : operation.operationId.startsWith("incidents.") || operation.operationId.startsWith("leaks.")
          ? 1.5
          : operation.operationId.endsWith(".revoke")
            ? 2
            : operation.responses["201"]
              ? 0
              : 1;
  const called: string[] = [];
  for (const { path, method, operation } of operations.toSorted((a, b) => rank(a) - rank(b))) {
    const linked = told.get(operation.operationId);
    const filled = path.replaceAll(/\{(\w+)\}/g, (_segment, name: string) => {
      const review = name === "id" ? REVIEW_OF[operation.operationId] : undefined;
      const value =
        review ?? linked?.parameters[name] ?? operation.parameters.find((one) => one.name === name)?.example;
      expect(value, `${operation.operationId}: nothing says what ${name} is`).toBeDefined();
      return value!;
    });
    const body = linked?.body ?? operation.requestBody?.content["application/json"].example;
    const way = { method, path: filled, ...(operation.requestBody ? { body } : {}) };

    expectDescribed(operation, await call(way, null));
    if (operation["x-caller"] === "socket") expect((await call(way, gateway.adminKey)).status).toBe(403);
    const answered =
      operation["x-caller"] === "socket"
        ? await call({ ...way, socketPath: join(gateway.directory, "admin.sock") }, null)
        : await call(way, gateway.adminKey);
    expectDescribed(operation, answered);
    called.push(operation.operationId);
    // No request runs that it could end.
    if (operation.operationId === "requests.end" && answered.status === 404) continue;
    expect(Object.keys(operation.responses), `${operation.operationId}: ${JSON.stringify(answered.body)}`).toContain(
      String(answered.status),
    );
    remember(told, operation.responses[answered.status]!, answered.body);
  }
  expect(called.toSorted()).toEqual(Object.keys(contract).toSorted());
});
