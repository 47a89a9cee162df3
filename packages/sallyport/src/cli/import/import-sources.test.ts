/** What each parser makes of a typical file, of a broken one and of a hostile one; no message repeats a credential. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readLiteLlm } from "./litellm.ts";
import { readNginxMap } from "./nginx-map.ts";
import { readOneApi } from "./one-api.ts";
import { IMPORT_KEYS_MAX } from "./source-read.ts";
import type { ReadSource, SourceRead } from "./source-read.ts";
import { readUserList } from "./user-list.ts";

const NOW = Date.parse("2026-01-01T00:00:00Z");
const testdata = join(import.meta.dirname, "../../../../../testdata/import");
const sources = {
  litellm: [readLiteLlm, "litellm-config.yaml"],
  "nginx-map": [readNginxMap, "nginx-map.conf"],
  "user-list": [readUserList, "authorized-users.txt"],
  "one-api": [readOneApi, "one-api-tokens.json"],
} as const satisfies Record<string, readonly [ReadSource, string]>;

const read = (format: keyof typeof sources, text: string): SourceRead => sources[format][0](text, NOW);
const readFile = (format: keyof typeof sources): SourceRead =>
  read(format, readFileSync(join(testdata, sources[format][1]), "utf8"));
/** `line what` of what is left out. */
const leftOut = ({ notCarried }: SourceRead): string[] => notCarried.map(({ line, what }) => `${line} ${what}`);

describe.each(Object.keys(sources) as (keyof typeof sources)[])("%s", (format) => {
  it("never repeats a credential of the file", () => {
    expect(JSON.stringify(readFile(format))).not.toMatch(/old[-:]/);
  });

  it("rejects a file that is something else, and names lines", () => {
    const yamlOnly = format === "user-list" ? [] : ["a: |old-secret", "a: !old-secret x"];
    for (const text of ["sk-old-secret", "{", '"Bearer old-secret', "[1, 2", "x\u0000y old-secret", ...yamlOnly]) {
      const { mistakes } = read(format, text);
      expect([text, mistakes.length > 0]).toEqual([text, true]);
      expect(mistakes.filter((mistake) => !/^line \d+: /.test(mistake) || mistake.includes("old-secret"))).toEqual([]);
    }
  });

  it("reads a long hostile file", () => {
    for (const part of ["[", "{", '"', "a:b\n", "a: b\n", "~;", "map $a $b {", "\\", "#", "- ["]) {
      const text = part.repeat(Math.floor(((format === "litellm" ? 32 : 256) * 1024) / part.length));
      expect(read(format, text).keys.length).toBeLessThanOrEqual(IMPORT_KEYS_MAX);
    }
  }, 120_000);
});

it("litellm: the Ollama models of the list become the models of one key", () => {
  const result = readFile("litellm");
  expect(result.mistakes).toEqual([]);
  expect(result.keys).toEqual([
    {
      line: 27,
      name: "litellm",
      models: ["llama3.2", "qwen3:8b", "nomic-embed-text"],
      expiresAtMs: null,
      networks: null,
    },
  ]);
  expect(leftOut(result)).toEqual([
    '3 api_base of "llama3.2"',
    '7 name "gpt-3.5-turbo"',
    '7 api_base of "gpt-3.5-turbo"',
    '7 "rpm" of "gpt-3.5-turbo"',
    '15 model "gpt-4o"',
    '19 name "big"',
    '28 "database_url"',
    '24 "litellm_settings"',
    "null virtual keys",
    '27 litellm: model "gpt-oss:120b-cloud"',
  ]);
});

it("litellm: without a model of Ollama there is no key", () => {
  const result = read("litellm", "model_list: []\n");
  expect([result.keys, leftOut(result)]).toEqual([[], ["null virtual keys", "null master key"]]);
});

it("nginx-map: one key for each token, named after its value", () => {
  const result = readFile("nginx-map");
  expect(result.mistakes).toEqual([]);
  expect(result.keys.map(({ line, name }) => [line, name])).toEqual([
    [8, "wiki-bot"],
    [9, "search"],
    [10, "search-2"],
    [11, "nginx-1"],
  ]);
  expect(leftOut(result)).toEqual(['1 map "$http_upgrade"', "7 default", "12 token", "13 pattern"]);
});

it.each([
  ["an include", "include old-secret.conf;", "include"],
  ["a default that admits", "default app;", "default"],
  ["the empty token", '"" app;', "empty token"],
  ["a value that is a variable", '"Bearer old-secret" $app2;', "token"],
  ["an option", "hostnames;", "hostnames"],
])("nginx-map: %s makes no key", (_what, entry, what) => {
  const result = read("nginx-map", `map $http_x_api_key $app {\n${entry}\n}`);
  expect([result.keys, result.mistakes, leftOut(result)]).toEqual([[], [], [`2 ${what}`]]);
});

it("nginx-map: quotes, escapes, comments and braces mean what they mean to nginx", () => {
  const result = read(
    "nginx-map",
    String.raw`map $http_authorization $app { "Bearer \"}; #" one; Bearer\ x;y two; # three
      'Bearer {' three; }`,
  );
  expect(result.mistakes).toEqual(["line 1: expected a token, a value and `;`"]);
  expect(result.keys.map(({ name }) => name)).toEqual(["one", "two", "three"]);
});

it("user-list: one key for each user; a user who comes twice gets one", () => {
  const result = readFile("user-list");
  expect(result.keys.map(({ line, name }) => [line, name])).toEqual([
    [2, "alice"],
    [3, "bob"],
  ]);
  expect(result.notCarried).toEqual([{ line: 5, what: "alice", reason: "line 2 already has a key of this name" }]);
});

it("one-api: models, expiry and networks of enabled tokens", () => {
  const result = readFile("one-api");
  expect(result.mistakes).toEqual([]);
  expect(result.keys).toEqual([
    { line: 2, name: "notebook", models: ["llama3.2", "qwen3:8b"], expiresAtMs: null, networks: ["127.0.0.0/8"] },
    { line: 17, name: "batch", models: null, expiresAtMs: 4_102_444_800_000, networks: null },
  ]);
  expect(leftOut(result)).toEqual(['17 "batch": quota', '32 "switched-off"', '33 "last-year"']);
});

it("one-api: the answer of its API is read, too, and a restriction that cannot be kept makes no key", () => {
  const token = { name: "a", status: 1, expired_time: -1, subnet: "10.0.0.0/8, everywhere" };
  const result = read("one-api", JSON.stringify({ success: true, data: { items: [token] } }));
  expect([result.keys, leftOut(result)]).toEqual([[], ['1 "a"']]);
});

it.each([
  ["a member twice", '[{"name":"a","name":"b","status":1,"expired_time":-1}]'],
  ["a token that is a text", '["old-secret"]'],
  ["an expiry that is no whole number", '[{"name":"a","status":1,"expired_time":1.5}]'],
  ["models that are a list", '[{"name":"a","status":1,"expired_time":-1,"models":["x"]}]'],
  ["text after the list", "[] []"],
])("one-api: %s is a mistake", (_what, text) => {
  expect(read("one-api", text).mistakes).toHaveLength(1);
});

describe("bounds that hold for every source", () => {
  it("more keys than an import takes are a mistake", () => {
    const text = Array.from({ length: IMPORT_KEYS_MAX + 1 }, (_, at) => `user${at}:x`).join("\n");
    const { keys, mistakes } = read("user-list", text);
    expect([keys.length, mistakes]).toEqual([IMPORT_KEYS_MAX, ["line 1001: the file has more than 1000 keys"]]);
  });

  it("a name that a key cannot have makes no key", () => {
    const { keys, notCarried } = read("user-list", `${"a".repeat(101)}:x\n\u001b[2J:x\n`);
    expect([keys, notCarried.map(({ line }) => line)]).toEqual([[], [1, 2]]);
  });

  it("a LiteLLM file of more than 256 KiB is a mistake", () => {
    expect(read("litellm", `model_list: []\n${"#".repeat(256 * 1024)}`).mistakes).toEqual([
      "line 1: the file is larger than 256 KiB",
    ]);
  });

  it("long lists of remarks and of mistakes are short", () => {
    expect(read("nginx-map", `map $http_authorization $a {\n${"~x y;\n".repeat(5_000)}}`).notCarried).toHaveLength(
      1_001,
    );
    expect(read("user-list", "x\n".repeat(5_000)).mistakes).toHaveLength(20);
  });
});
