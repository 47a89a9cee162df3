/**
 * Reads a permitted request into the contract's shapes: bounded, strict JSON, unknown fields rejected, all mistakes
 * listed.
 */
import { Problem } from "@sallyport/protocol";
import type { ProblemCode } from "@sallyport/protocol";
import { issueText } from "@sallyport/contract";
import type { ContractRow } from "@sallyport/contract";
import { nextRound } from "../kernel/long-work.ts";
import { readJson } from "../kernel/strict-json/read-json.ts";
import { bodyOf } from "./request-body.ts";

export const BODY_BYTES_MAX = 1024 * 1024;
/** Receiving such a body, parsing it and acting on it are three long pieces of work: each has a separate turn. */
const LONG_BODY_BYTES = 64 * 1024;

export interface ReadRequest {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

export async function readRequest(
  row: ContractRow,
  params: Record<string, string>,
  request: Request,
): Promise<ReadRequest> {
  return {
    params: judge(row.params, params, "input_invalid"),
    query: judge(row.query, readQuery(request), "query_not_accepted"),
    body: row.body === null ? await refuseBody(request) : judge(row.body, await readCallBody(request), "input_invalid"),
  };
}

/** What the schema makes of it. Throws every mistake under the code. */
export function judge<S extends NonNullable<ContractRow["body"]>>(schema: S, value: unknown, code: ProblemCode) {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  throw new Problem(
    code,
    undefined,
    read.error.issues.map(
      (issue) =>
        `${issue.path.length === 0 ? "request" : issue.path.map(String).join(".")}: ${issueText(issue, value)}`,
    ),
  );
}

export function readQuery(request: Request): Record<string, string> {
  const query = Object.create(null) as Record<string, string>;
  for (const [name, value] of new URL(request.url).searchParams) {
    if (name in query) throw new Problem("query_not_accepted", undefined, [`${name}: comes twice`]);
    query[name] = value;
  }
  return query;
}

async function refuseBody(request: Request): Promise<undefined> {
  if ((await readBytes(request)).length > 0) throw new Problem("body_not_accepted");
  return undefined;
}

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;

/** Strict JSON of the expected type; rejects an empty body. */
export async function readCallBody(
  request: Request,
  awaited: RegExp = JSON_TYPE,
  bytesMax = BODY_BYTES_MAX,
): Promise<unknown> {
  const type = request.headers.get("content-type") ?? "";
  if (!awaited.test(type.trim())) throw new Problem("media_type_unsupported");
  if (request.headers.has("content-encoding")) throw new Problem("encoding_unsupported");
  const bytes = await readBytes(request, bytesMax);
  if (bytes.length === 0) throw new Problem("body_missing");
  const isLong = bytes.length >= LONG_BODY_BYTES;
  if (isLong) await nextRound();
  const read = readJson(bytes);
  if (!read.ok) throw new Problem(read.code, read.detail);
  if (isLong) await nextRound();
  return read.value;
}

/** Rejects more than `bytesMax` with `body_too_large`, before all of it has come. */
export async function readBytes(request: Request, bytesMax = BODY_BYTES_MAX): Promise<Uint8Array> {
  if (Number(request.headers.get("content-length") ?? 0) > bytesMax) throw new Problem("body_too_large");
  const body = bodyOf(request);
  if (body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > bytesMax) throw new Problem("body_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
