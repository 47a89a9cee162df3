/**
 * Every parser of bytes from outside, given hostile texts: none takes more than linear time. `HOSTILE_TEXTS=100000` makes it
 * the whole fuzz; the table of the worst text of each parser is printed then.
 */
import { describe, expect, test } from "vitest";
import { parseKeyText, parseModelName, parseSelector } from "@sallyport/protocol";
import { parseDurationMs, parseRate } from "@sallyport/contract";
import {
  AnthropicStream,
  clientName,
  endpoints,
  extractCredential,
  filterModels,
  HostNames,
  htmlText,
  looksLikeToken,
  markdownText,
  matchEndpoint,
  NativeObject,
  NativeStream,
  networkPrefix,
  normalizeAddress,
  normalizePassword,
  OpenaiStream,
  parseCheckpoint,
  parseEnded,
  parseExportManifest,
  parseNetwork,
  parseOllamaCredential,
  parseRecordLine,
  parseSshPublicKey,
  parseTraceParent,
  plainText,
  readFilter,
  readForm,
  readJson,
  readKeepAlive,
  readPhc,
  readRemoteModels,
  readSignedFields,
  redactShow,
  refusePassword,
  ResponsesStream,
  rewriteError,
} from "../program-under-test.ts";
import { hostileText, seeded } from "./hostile-texts.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
const NOTHING = { maySeeContext: false, maySeeRendered: false, mayBeRemote: false };

interface Parser {
  readonly name: string;
  readonly sample: string;
  /** The longest text that reaches it. */
  readonly lengthMax: number;
  readonly parse: (text: string) => unknown;
  /** A text of many small values costs a fixed sum on top, which a bound on their number keeps small. */
  readonly floorMs?: number;
  /** Each frame of a model server's stream is read as JSON of its own. */
  readonly msPerMb?: number;
}

const body = '{"model":"a","messages":[{"role":"user","content":"x"}],"options":{"seed":1},"keep_alive":"5m"}';
const through = (reader: { push(chunk: Buffer): unknown; end(): unknown }, text: string): void => {
  reader.push(Buffer.from(text));
  reader.end();
};

const parsers: readonly Parser[] = [
  ...endpoints
    .filter((endpoint) => endpoint.body === "json" || endpoint.body === "multipart")
    .map((endpoint) => ({
      name: `body of ${endpoint.id}`,
      sample:
        endpoint.body === "multipart"
          ? '--b\r\ncontent-disposition: form-data; name="model"\r\n\r\na\r\n--b--\r\n'
          : endpoint.sample
            ? JSON.stringify(endpoint.sample("a"))
            : body,
      lengthMax: Math.min(MIB, endpoint.bodyBytesMax),
      floorMs: 20,
      parse: (text: string) => endpoint.understand(Buffer.from(text), null, "multipart/form-data; boundary=b"),
    })),
  { name: "strict JSON", sample: body, lengthMax: MIB, floorMs: 40, parse: (text) => readJson(Buffer.from(text)) },
  { name: "keep_alive", sample: '"1h30m"', lengthMax: MIB, parse: (text) => readKeepAlive(JSON.stringify(text)) },
  { name: "model name", sample: "h/n/m:t", lengthMax: MIB, parse: parseModelName },
  { name: "model selector", sample: "library/*", lengthMax: 64 * KIB, parse: parseSelector },
  { name: "endpoint and path", sample: "/v1/models/a%3Ab", lengthMax: 2 * KIB, parse: (text) => matchEndpoint("GET", text) },
  { name: "key text", sample: "sp_dev_abcdefghijkl_", lengthMax: 16 * KIB, parse: parseKeyText },
  { name: "credential header", sample: "Bearer a", lengthMax: 16 * KIB, parse: (text) => extractCredential(["authorization", text]) },
  { name: "token text", sample: "eyJ.eyJ.x", lengthMax: 16 * KIB, parse: looksLikeToken },
  { name: "Ollama signature", sample: "AAAA:BBBB", lengthMax: 16 * KIB, parse: parseOllamaCredential },
  {
    name: "request signature",
    sample: 'sig1=("@method" "content-digest");created=1;keyid="a"',
    lengthMax: 16 * KIB,
    parse: (text) => readSignedFields(["signature-input", text, "signature", text, "content-digest", text]),
  },
  { name: "host name", sample: "localhost:1", lengthMax: 16 * KIB, parse: (text) => new HostNames([]).has(text) },
  { name: "user agent", sample: "ollama/0.1", lengthMax: 16 * KIB, parse: clientName },
  { name: "address", sample: "::ffff:10.0.0.1", lengthMax: 16 * KIB, parse: (text) => [normalizeAddress(text), networkPrefix(text)] },
  { name: "network", sample: "10.0.0.0/8", lengthMax: 16 * KIB, parse: parseNetwork },
  { name: "trace parent", sample: "00-aa-bb-01", lengthMax: 16 * KIB, parse: parseTraceParent },
  { name: "OAuth form", sample: "a=b&c=d", lengthMax: 64 * KIB, parse: (text) => readForm(Buffer.from(text), "application/x-www-form-urlencoded") },
  { name: "SCIM filter", sample: 'userName eq "a"', lengthMax: 16 * KIB, parse: (text) => readFilter(text, ["userName"]) },
  { name: "SSH public key", sample: "ssh-ed25519 AAAA a@b", lengthMax: 64 * KIB, parse: parseSshPublicKey },
  { name: "password hash", sample: "$argon2id$v=19$m=1,t=1,p=1$AA$AA", lengthMax: 16 * KIB, parse: readPhc },
  { name: "password", sample: "correct horse", lengthMax: 16 * KIB, parse: (text) => refusePassword(normalizePassword(text), text) },
  { name: "duration", sample: "5m", lengthMax: 64 * KIB, parse: parseDurationMs },
  { name: "rate", sample: "60/min", lengthMax: 64 * KIB, parse: parseRate },
  { name: "text of a report", sample: "a|b", lengthMax: MIB, parse: (text) => [plainText(text), htmlText(text), markdownText(text)] },
  { name: "record line", msPerMb: 60, sample: '{"seq":1,"prev":"","type":"a","at":1,"environment":"dev","actor":"a","fields":{"a":["b"]}}', lengthMax: MIB, parse: parseRecordLine },
  { name: "ended record", sample: "1 dev aa bb cc", lengthMax: MIB, parse: parseEnded },
  { name: "checkpoint", sample: "a/b\n1\nAAAA\n\n— a AAAA\n", lengthMax: MIB, parse: parseCheckpoint },
  { name: "export manifest", msPerMb: 60, sample: '{"node":"a"}', lengthMax: MIB, parse: parseExportManifest },
  { name: "NDJSON answer", msPerMb: 250, sample: '{"done":true,"context":[1]}\n', lengthMax: MIB, parse: (text) => through(new NativeStream(false, NOTHING), text) },
  { name: "progress answer", msPerMb: 250, sample: '{"status":"success"}\n', lengthMax: MIB, parse: (text) => through(new NativeStream(true, NOTHING), text) },
  { name: "answer in one object", msPerMb: 60, sample: '{"done":true,"context":[1]}', lengthMax: MIB, parse: (text) => through(new NativeObject(NOTHING), text) },
  { name: "OpenAI stream", msPerMb: 250, sample: 'data: {"usage":{"a":1}}\n\n', lengthMax: MIB, parse: (text) => through(new OpenaiStream(true), text) },
  { name: "Anthropic stream", msPerMb: 250, sample: 'event: a\ndata: {"type":"message_delta","usage":{}}\n\n', lengthMax: MIB, parse: (text) => through(new AnthropicStream(), text) },
  { name: "Responses stream", msPerMb: 250, sample: 'event: response.completed\ndata: {}\n\n', lengthMax: MIB, parse: (text) => through(new ResponsesStream(), text) },
  { name: "list of models", msPerMb: 60, sample: '{"models":[{"name":"a"}]}', lengthMax: MIB, parse: (text) => [filterModels(() => true)(text), readRemoteModels(text)] },
  { name: "description of a model", msPerMb: 60, sample: '{"details":{}}', lengthMax: MIB, parse: redactShow(false) },
  { name: "error of a model server", msPerMb: 60, sample: '{"error":"dial tcp 10.0.0.1:1: lookup a"}', lengthMax: MIB, parse: rewriteError },
]; // prettier-ignore

const TEXTS = Number(process.env["HOSTILE_TEXTS"] ?? 6_000);
/** The fuzz by hand holds the budget; beside other tests on a shared machine only what is not linear is told apart. */
const MS_PER_MB_MAX = TEXTS >= 100_000 ? 5 : 100;
/** Whatever is short is not measured to a millisecond. */
const FLOOR_MS = TEXTS >= 100_000 ? 2 : 20;

interface Worst {
  ms: number;
  bytes: number;
  text: string;
}

function timed(parser: Parser, text: string): number {
  const begun = performance.now();
  try {
    parser.parse(text);
  } catch {
    // A parser may reject by throwing: only its time is looked at here.
  }
  return performance.now() - begun;
}

describe("hostile texts", () => {
  test.each(parsers)("$name takes linear time", (parser) => {
    const random = seeded(parser.name.length * 7_919 + 1);
    const worst: Worst = { ms: 0, bytes: 0, text: "" };
    const count = Math.ceil(TEXTS / parsers.length);
    for (let i = 0; i < count; i++) {
      const text = hostileText(random, parser.sample, parser.lengthMax);
      const bytes = Buffer.byteLength(text);
      const allowed =
        Math.max(FLOOR_MS, parser.floorMs ?? 0) + (Math.max(MS_PER_MB_MAX, parser.msPerMb ?? 0) * bytes) / 1e6;
      let ms = timed(parser, text);
      // A slow one is run again: the machine may have been elsewhere, and the code was not yet compiled.
      for (let again = 0; again < 4 && ms > allowed / 2; again++) ms = Math.min(ms, timed(parser, text));
      if (ms > allowed) expect.fail(`${bytes} bytes took ${ms.toFixed(1)} ms: ${JSON.stringify(text.slice(0, 120))}`);
      if (ms > worst.ms) Object.assign(worst, { ms, bytes, text });
    }
    if (TEXTS >= 100_000)
      console.log(
        `${parser.name.padEnd(32)} ${String(count).padStart(6)} texts, worst ${worst.ms.toFixed(2)} ms for ${worst.bytes} bytes ${JSON.stringify(worst.text.slice(0, 40))}`,
      );
  });
});
