/**
 * The admin contract as an OpenAPI 3.1 document, made by walking the same rows that are served. Every answer that makes
 * something links to the operations that take its id, so that a client can be driven by the document alone.
 */
import { z } from "zod";
import { problems } from "@sallyport/protocol";
import { contract } from "./contract.ts";
import type { ContractRow } from "./row.ts";
import * as views from "./views.ts";

type Json = Readonly<Record<string, unknown>>;

/** Views that get a name in the document. */
const NAMED = {
  Key: views.keyView,
  AdminKey: views.adminKeyView,
  IssuedKey: views.issuedKey,
  IssuedAdminKey: views.issuedAdminKey,
  Principal: views.principalView,
  Assignment: views.assignmentView,
  Role: views.roleView,
  Upstream: views.upstreamView,
  Environment: views.environmentView,
  AuditRecord: views.auditRecordView,
  Verdict: views.verdictView,
  Problem: z.object({
    type: z.string(),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string().optional(),
    code: z.enum(Object.keys(problems) as [string, ...string[]]).describe("stable, to be compared by programs"),
    mistakes: z.array(z.string()).describe("every mistake of the input, each with its place"),
    remedy: z.string(),
  }),
};

const rows: readonly (readonly [string, ContractRow])[] = Object.entries(contract);

/** `version` is the program's. */
export function openApiDocument(version: string): Json {
  const paths: Record<string, Record<string, Json>> = {};
  for (const [name, row] of rows) {
    const path = row.path.replace(/:([a-z]+)/g, "{$1}");
    paths[path] = { ...paths[path], [row.method.toLowerCase()]: operationOf(name, row) };
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Sallyport admin API",
      version,
      summary: "Keys, users, services, policy and the audit log of a Sallyport gateway",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:11436", description: "the default of adminListen" }],
    security: [{ adminKey: [] }],
    tags: [...new Set(rows.map(([, row]) => tagOf(row)))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        adminKey: { type: "http", scheme: "bearer", description: "an admin key, spa_…" },
      },
      schemas: namedSchemas(),
    },
  };
}

function operationOf(name: string, row: ContractRow): Json {
  return {
    operationId: name,
    tags: [tagOf(row)],
    summary: row.says,
    description:
      `Needs the permission ${row.permission}.` +
      (row.caller === "socket" ? " Answered only on the Unix socket in the data directory." : ""),
    "x-permission": row.permission,
    "x-caller": row.caller,
    parameters: [...parametersOf("path", row), ...parametersOf("query", row)],
    ...(row.body === null
      ? {}
      : { requestBody: { required: true, content: { "application/json": bodyOf(row.body, row.example?.body) } } }),
    responses: {
      [row.status]: {
        description: "done",
        content: { "application/json": { schema: reference(answerName(name, row)) } },
        ...linksFrom(name, row),
      },
      default: {
        description: "denied or failed; `code` says why",
        content: { "application/problem+json": { schema: reference("Problem") } },
      },
    },
  };
}

function bodyOf(body: z.ZodObject, example: Json | undefined): Json {
  return { schema: schemaOf(body), ...(example === undefined ? {} : { example }) };
}

function parametersOf(place: "path" | "query", row: ContractRow): readonly Json[] {
  const schema = schemaOf(place === "path" ? row.params : row.query) as {
    readonly properties?: Readonly<Record<string, Json>>;
    readonly required?: readonly string[];
  };
  const examples = place === "path" ? row.example?.params : undefined;
  return Object.entries(schema.properties ?? {}).map(([name, { description, ...form }]) => ({
    name,
    in: place,
    required: place === "path" || (schema.required ?? []).includes(name),
    ...(description === undefined ? {} : { description }),
    schema: form,
    ...(examples?.[name] === undefined ? {} : { example: examples[name] }),
  }));
}

/** From what makes a thing to what takes its id, in the path (`/v1/keys/:id…`) or in the body (`keyId`). */
function linksFrom(name: string, maker: ContractRow): Json {
  if (maker.status !== 201) return {};
  const links: Record<string, Json> = {};
  const idField = `${maker.path.slice(maker.path.lastIndexOf("/") + 1).replace(/s$/, "")}Id`;
  for (const [operationId, row] of rows) {
    // What is made under a key is named by both ids: its own and the key's.
    if (row.path === `${maker.path}/remove` && row.body !== null)
      links[operationId] = {
        operationId,
        parameters: { id: "$response.body#/keyId" },
        requestBody: Object.fromEntries(Object.keys(row.body.shape).map((field) => [field, "$response.body#/id"])),
      };
    else if (row.path.startsWith(`${maker.path}/:id`))
      links[operationId] = { operationId, parameters: { id: `$response.body#/${madeId(maker, idField)}` } };
    else if (name.endsWith(".create") && row.body !== null && idField in row.body.shape)
      links[operationId] = {
        operationId,
        requestBody: { ...row.example?.body, [idField]: "$response.body#/id" },
      };
  }
  return Object.keys(links).length === 0 ? {} : { links };
}

/** Most answers name what was made `id`; one that says more than what was made names it as others refer to it. */
function madeId({ answer }: ContractRow, idField: string): string {
  return answer instanceof z.ZodObject && idField in answer.shape ? idField : "id";
}

function namedSchemas(): Json {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(NAMED)) registry.add(schema, { id });
  for (const [name, row] of rows) {
    const id = answerName(name, row);
    if (!Object.hasOwn(NAMED, id)) registry.add(row.answer, { id });
  }
  const { schemas } = z.toJSONSchema(registry, { io: "output", uri: (id) => reference(id).$ref });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, bare(schema)]));
}

function answerName(name: string, row: ContractRow): string {
  const named = Object.entries(NAMED).find(([, schema]) => schema === row.answer);
  return named?.[0] ?? `${name}.answer`;
}

function reference(id: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${id}` };
}

function schemaOf(schema: z.ZodObject): Json {
  return bare(
    z.toJSONSchema(schema, {
      io: "input",
      override({ jsonSchema }) {
        // A whole number in a query is text on its way and may be a number in our own client: for others it is a number.
        if (jsonSchema.type === "integer") delete jsonSchema.anyOf;
      },
    }),
  );
}

/** Without what only a separate document has. */
function bare({ $schema: _dialect, $id: _id, ...schema }: Json): Json {
  return schema;
}

function tagOf(row: ContractRow): string {
  return row.permission.slice(0, row.permission.indexOf(":"));
}
