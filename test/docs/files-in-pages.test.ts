/** The files that the guides show, and the files that they name, are what the program takes and what exists. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, sep } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadSettings, parseCredentials, readIdentityFile, readPolicy, readPrices } from "../program-under-test.ts";
import { blocksOf, pagesIn, readPage, root } from "./markdown-page.ts";

const pages = ["README.md", ...pagesIn("docs/guides"), ...pagesIn("examples")];
const textsOf = (page: string, language: string): readonly string[] =>
  blocksOf(page)
    .filter((block) => block.language === language)
    .map(({ text }) => text);

const folder = mkdtempSync(join(tmpdir(), "sallyport-pages-"));
afterAll(() => rmSync(folder, { recursive: true }));

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

type Yaml = Readonly<Record<string, unknown>>;
const keysOf = (schema: string): readonly string[] =>
  Object.keys((JSON.parse(readPage(`docs/reference/${schema}`)) as { properties: object }).properties);
const settings = keysOf("settings.schema.json");
const policy = keysOf("policy.schema.json");

/** Files of other programs, by their first key. */
const FOREIGN = ["scrape_configs", "services", "apiVersion", "name"];

type Kind = "identity" | "policy" | "anomalies" | "prices" | "settings" | "foreign" | "unknown";

function kindOf(given: Yaml): Kind {
  const keys = Object.keys(given);
  if (Array.isArray(given)) return "foreign";
  if ("providers" in given || "leaks" in given) return "identity";
  if ("budget" in given) return "anomalies";
  if ("prices" in given) return "prices";
  // The settings have a list of that name.
  if (keys.every((key) => policy.includes(key)) && !Array.isArray(given["environments"])) return "policy";
  if (keys.every((key) => settings.includes(key))) return "settings";
  return FOREIGN.includes(keys[0] ?? "") ? "foreign" : "unknown";
}

const READERS: Readonly<Record<Kind, (text: string, given: Yaml) => readonly string[]>> = {
  identity(text) {
    const mistakes: string[] = [];
    readIdentityFile(written("identity.yaml", text), mistakes);
    return mistakes;
  },
  policy(_text, given) {
    const environments = { dev: { upstreams: [{ url: "http://127.0.0.1:11434" }] } };
    const read = readPolicy({ environments, ...given });
    return read.ok ? [] : read.mistakes.map(String);
  },
  // What `anomalies replay` reads is a part of the policy.
  anomalies(text, given) {
    const upstreams = [{ url: "http://127.0.0.1:11434" }];
    return READERS.policy(text, { environments: { dev: { upstreams, anomalies: given } } });
  },
  settings(text) {
    // The file that they name is on another machine.
    const identity = written("no-providers.yaml", "providers: {}\n");
    const file = written("sallyport.yaml", text.replace(/^identity: .*$/m, `identity: ${identity}`));
    try {
      loadSettings({ flags: {}, env: {}, file });
      return [];
    } catch (cause) {
      return [String(cause), JSON.stringify(cause)];
    }
  },
  prices(text) {
    try {
      readPrices(text, "prices.yaml");
      return [];
    } catch (cause) {
      return [String(cause)];
    }
  },
  foreign: () => [],
  unknown: () => ["is neither settings, policy nor an identity file"],
};

function mistakesIn(text: string): readonly string[] {
  const given = parse(text) as Yaml;
  return READERS[kindOf(given)](text, given);
}

describe.each(pages)("%s", (page) => {
  it("shows files in YAML that the program reads", () => {
    expect(textsOf(page, "yaml").flatMap(mistakesIn)).toEqual([]);
  });

  it("shows credentials files that the program reads", () => {
    for (const block of textsOf(page, "json").filter((text) => text.includes('"gateways"')))
      expect(parseCredentials("credentials.json", block).length).toBeGreaterThan(0);
  });
});

it("a file with a mistake is reported", () => {
  expect(mistakesIn("oidc: { issuer: https://id.example.org, client: x }")).not.toEqual([]);
  expect(mistakesIn("providers: { corp: { issuer: https://id.example.org } }")).toHaveLength(1);
  expect(mistakesIn("assign: [{ group: a, role: no-such-role, in: [dev] }]")).not.toEqual([]);
  expect(mistakesIn("nonsense: 1")).toHaveLength(1);
});

const sources = [
  ...readdirSync(root).map((name) => `/${name}`),
  ...["packages", "test", "tools", "bench", "docs", "deploy", "testdata"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
      .map((path) => `/${folder}/${path.split(sep).join("/")}`)
      .flatMap((path) => [path, path.replace("/src/", "/")]),
  ),
];

/** Whether a file or folder of the repository has this name, `store/disk/` or `keys/own-keys.ts`, at the end of its path. */
function isInRepository(name: string): boolean {
  const wanted = `/${name.replace(/^\//, "").replace(/\/$/, "")}`;
  return sources.some((path) => path.endsWith(wanted));
}

it.each(["SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])("%s names files that there are", (page) => {
  const names = [...readPage(page).matchAll(/`([\w./-]+(?:\.(?:ts|js)|\/))`/g)].map((one) => one[1]!);
  // Of a data directory, not of the repository.
  const kept = /^(?:secrets|ledger|index|sinks|backups|incidents|test)\/$|^\/+$|^dist\/|NOUN/;
  expect(names.filter((name) => !kept.test(name) && !isInRepository(name))).toEqual([]);
});
