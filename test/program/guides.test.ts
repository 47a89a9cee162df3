/** What the guides tell a reader to type is what the program takes: commands, flags, settings, policy, links. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, sep } from "node:path";
import type { Command } from "commander";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { loadSettings, makeProgram, parseCredentials, readIdentityFile, readPolicy } from "../program-under-test.ts";
import type { Cli } from "../program-under-test.ts";

const root = join(import.meta.dirname, "../..");
const pages = [
  "README.md",
  ...readdirSync(join(root, "docs/guides")).map((name) => join("docs/guides", name)),
  ...readdirSync(join(root, "examples")).map((name) => join("examples", name, "README.md")),
];
const program = await makeProgram({ io: { out() {}, err() {}, env: {} } } as unknown as Cli);

function blocksOf(page: string, language: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].filter((one) => one[1] === language).map((one) => one[2]!);
}

/** The words of every command line that calls the program, without what the shell does with them. */
function callsOf(page: string): readonly string[] {
  return blocksOf(page, "sh")
    .join("\n")
    .replaceAll("\\\n", " ")
    .split("\n")
    .flatMap((line) => /^(?:.*[\s/])?sallyport ((?:[a-z]|--).*)$/.exec(line.replace(/ +#.*$/, ""))?.[1] ?? []);
}

/** What the program does not know in a command line. */
function strangeIn(call: string): readonly string[] {
  let command: Command = program;
  const words = call.split(/ +/);
  for (const word of words) {
    const inner = command.commands.find((one) => one.name() === word);
    if (!inner) break;
    command = inner;
  }
  if (command.commands.length > 0 && command.registeredArguments.length === 0 && !hasAction(command)) return [call];
  const known = command.options.flatMap((option) => [option.long, option.short]);
  return words.filter((word) => word.startsWith("-") && !known.includes(word));
}

/** It does something itself, though there are commands below it. */
function hasAction(command: Command): boolean {
  return Boolean((command as unknown as { readonly _actionHandler: unknown })._actionHandler);
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchorsOf(page: string): ReadonlySet<string> {
  const headings = [...readFileSync(join(root, page), "utf8").matchAll(/^#+ (.+)$/gm)].map((one) => one[1]!);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}

function identityMistakes(text: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), "sallyport-guide-"));
  const mistakes: string[] = [];
  writeFileSync(join(folder, "identity.yaml"), text);
  readIdentityFile(join(folder, "identity.yaml"), mistakes);
  rmSync(folder, { recursive: true });
  return mistakes;
}

describe.each(pages)("%s", (page) => {
  it("names commands and flags that there are", () => {
    expect(callsOf(page).flatMap(strangeIn)).toEqual([]);
  });

  it("shows settings and policy that are taken", () => {
    for (const block of blocksOf(page, "yaml")) {
      const given = parse(block) as Record<string, unknown>;
      if (given["environments"]) expect(readPolicy(given)).toMatchObject({ ok: true });
      if (given["providers"]) expect(identityMistakes(block)).toEqual([]);
      if (given["listen"]) {
        const { tls, ...flags } = given as { tls?: { certificate: string; key: string } };
        const files = tls && { tlsCertificate: tls.certificate, tlsKey: tls.key };
        expect(() => loadSettings({ flags: { ...flags, ...files }, env: {}, file: "/dev/null" })).not.toThrow();
      }
    }
  });

  it("shows credentials files that are taken", () => {
    for (const block of blocksOf(page, "json").filter((text) => text.includes('"gateways"')))
      expect(parseCredentials("credentials.json", block).length).toBeGreaterThan(0);
  });

  it("links to what is there", () => {
    const links = [...readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:)([^)#]+)/g)].map(
      (one) => one[1]!,
    );
    expect(links.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });

  it("links to headings that there are", () => {
    const links = [...readFileSync(join(root, page), "utf8").matchAll(/\]\((?!https?:)([^)#]*\.md)?#([^)]+)\)/g)];
    const lost = links.filter(([, file, anchor]) => !anchorsOf(file ? join(dirname(page), file) : page).has(anchor!));
    expect(lost.map(([link]) => link)).toEqual([]);
  });
});

const sources = ["packages", "test", "tools", "bench", "docs", "deploy", "testdata"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((path) => !/(^|\/)(node_modules|dist)\//.test(path))
    .flatMap((path) => [
      `/${folder}/${path.split(sep).join("/")}`,
      `/${folder}/${path.split(sep).join("/")}`.replace("/src/", "/"),
    ]),
);

/** Whether a file or folder of the repository has this name, `store/disk/` or `keys/own-keys.ts`, at the end of its path. */
function isInRepository(name: string): boolean {
  const wanted = `/${name.replace(/^\//, "").replace(/\/$/, "")}`;
  return sources.some((path) => path.endsWith(wanted));
}

it.each(["SECURITY.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])("%s names files that there are", (page) => {
  const names = [...readFileSync(join(root, page), "utf8").matchAll(/`([\w./-]+(?:\.(?:ts|js)|\/))`/g)].map(
    (one) => one[1]!,
  );
  // Of a data directory, not of the repository.
  const kept = /^(?:secrets|ledger|index|sinks|backups|incidents|test)\/$|^\/+$|^dist\/|NOUN/;
  expect(names.filter((name) => !kept.test(name) && !isInRepository(name))).toEqual([]);
});

it("the guides call the program at all", () => {
  expect(pages.flatMap(callsOf).length).toBeGreaterThan(20);
});
