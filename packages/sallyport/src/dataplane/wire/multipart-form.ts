/**
 * A strict reader of multipart/form-data (RFC 7578), whole in memory and within the body's bound. Every part once, only
 * the two headers a form part may have, nothing before the first boundary or after the last.
 */
import { isRefusal, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";

export interface FormPart {
  readonly name: string;
  /** Null for a plain field. */
  readonly filename: string | null;
  readonly bytes: Buffer;
}

const CONTENT_TYPE =
  /^multipart\/form-data\s*;\s*boundary=(?:"([A-Za-z0-9'()+_,./:=? -]{1,70})"|([A-Za-z0-9'+_.-]{1,70}))$/i;
const DISPOSITION =
  /^content-disposition:[ \t]*form-data;[ \t]*name="([^"\r\n\\]{1,100})"(?:;[ \t]*filename="([^"\r\n\\]{0,255})")?[ \t]*$/i;
const PART_TYPE = /^content-type:[^\r\n]{0,255}$/i;
const PARTS_MAX = 32;
const PART_HEADERS_MAX = 1024;

export function readMultipartForm(contentType: string, body: Buffer): readonly FormPart[] | Refusal {
  const said = CONTENT_TYPE.exec(contentType.trim());
  if (!said) return refuse("media_type_unsupported");
  const boundary = said[1] ?? said[2]!;
  const parts: FormPart[] = [];
  const first = `--${boundary}`;
  if (body.subarray(0, first.length).toString("latin1") !== first)
    return refuse("multipart_malformed", "no boundary at its beginning");
  const next = Buffer.from(`\r\n--${boundary}`, "latin1");
  for (let at = first.length; ;) {
    const mark = body.subarray(at, at + 2).toString("latin1");
    if (mark === "--")
      return isBlank(body.subarray(at + 2)) ? parts : refuse("multipart_malformed", "bytes after its end");
    if (mark !== "\r\n" || parts.length >= PARTS_MAX) return refuse("multipart_malformed");
    const headersEnd = body.indexOf("\r\n\r\n", at, "latin1");
    if (headersEnd < 0 || headersEnd - at > PART_HEADERS_MAX) return refuse("multipart_malformed", "a part's headers");
    const end = body.indexOf(next, headersEnd + 2);
    if (end < 0) return refuse("multipart_malformed", "a part has no end");
    const part = readPart(
      body.subarray(at + 2, headersEnd).toString("utf8"),
      body.subarray(headersEnd + 4, Math.max(end, headersEnd + 4)),
    );
    if (isRefusal(part)) return part;
    if (parts.some((held) => held.name === part.name))
      return refuse("multipart_malformed", `${printable(part.name)} comes twice`);
    parts.push(part);
    at = end + next.length;
  }
}

function readPart(headers: string, bytes: Buffer): FormPart | Refusal {
  let found: RegExpExecArray | null = null;
  for (const line of headers.split("\r\n")) {
    const disposition = DISPOSITION.exec(line);
    if (disposition && !found) found = disposition;
    else if (disposition || !PART_TYPE.test(line)) return refuse("multipart_malformed", "a part's headers");
  }
  if (!found) return refuse("multipart_malformed", "a part without a name");
  return { name: found[1]!, filename: found[2] ?? null, bytes };
}

function isBlank(bytes: Buffer): boolean {
  return bytes.length === 0 || bytes.toString("latin1") === "\r\n";
}

export function printable(text: string): string {
  return text.slice(0, 40).replaceAll(/[^\x20-\x7e]/g, "?");
}

export function writeForm(boundary: string, parts: readonly FormPart[]): Buffer {
  const chunks: Buffer[] = [];
  for (const { name, filename, bytes } of parts) {
    const file = filename === null ? "" : `; filename="${filename}"\r\ncontent-type: application/octet-stream`;
    chunks.push(
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${file}\r\n\r\n`, "latin1"),
      bytes,
      Buffer.from("\r\n"),
    );
  }
  chunks.push(Buffer.from(`--${boundary}--\r\n`, "latin1"));
  return Buffer.concat(chunks);
}
