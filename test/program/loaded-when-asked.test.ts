/** What only some gateways need is not part of what every gateway loads. */
import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const DIST = fileURLToPath(new URL("../../packages/sallyport/dist/", import.meta.url));
const STATIC_IMPORT = /^(?:import|export)\s(?:[^"']*?\sfrom\s+)?["'](\.[^"']+)["'];?$/gm;

function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const [, specifier] of readFileSync(file, "utf8").matchAll(STATIC_IMPORT))
    loadedBy(join(dirname(file), specifier!), seen);
  return seen;
}

/** All that a gateway has loaded when it listens. */
function loadedToServe(): string[] {
  const begun = ["main.js", "cli/start/serve.js", "config/load-settings.js", "compose.js", "compose/gateway.js"];
  const seen = new Set<string>();
  for (const file of begun) loadedBy(join(DIST, file), seen);
  return [...seen];
}

test("a gateway that serves loads nothing of backups", () => {
  const files = loadedToServe();
  const asking = files.filter((file) => readFileSync(file, "utf8").includes('"age-encryption"'));
  expect(asking).toEqual([]);
  expect([...loadedBy(join(DIST, "compose", "backup.js"))].some((file) => file.endsWith(`${sep}age.js`))).toBe(true);
});

test("a gateway that traces nothing loads nothing of traces", () => {
  const loaded = loadedToServe();
  expect(loaded.length).toBeGreaterThan(100);
  expect(loaded.filter((file) => file.includes(`${sep}traces${sep}`) || file.endsWith("tracing.js"))).toEqual([]);
  expect([...loadedBy(join(DIST, "compose", "tracing.js"))].some((file) => file.includes(`${sep}traces${sep}`))).toBe(
    true,
  );
});

test("a gateway that hears no identity provider and serves no directory loads neither", () => {
  const loaded = loadedToServe();
  const asking = loaded.filter(
    (file) =>
      /from "(?:scimmy|openid-client)"/.test(readFileSync(file, "utf8")) || file.endsWith(`${sep}security-event.js`),
  );
  expect(asking).toEqual([]);
  const whenAsked = ["compose/identity.js", "admin/scim/scim-server.js"].flatMap((file) => [
    ...loadedBy(join(DIST, file)),
  ]);
  expect(whenAsked.some((file) => readFileSync(file, "utf8").includes('from "scimmy"'))).toBe(true);
  expect(whenAsked.some((file) => file.endsWith(`${sep}security-event.js`))).toBe(true);
});

test("a gateway without sinks loads nothing of them", () => {
  const loaded = loadedToServe();
  expect(loaded.filter((file) => file.includes(`${sep}sinks${sep}`) || file.endsWith(`${sep}sinks.js`))).toEqual([]);
  expect([...loadedBy(join(DIST, "compose", "sinks.js"))].some((file) => file.endsWith("s3-sink.js"))).toBe(true);
});

test("a gateway that mails nothing loads nothing of mail", () => {
  const loaded = loadedToServe();
  expect(loaded.filter((file) => readFileSync(file, "utf8").includes('from "nodemailer"'))).toEqual([]);
  const whenAsked = [...loadedBy(join(DIST, "compose", "mail.js"))];
  expect(whenAsked.some((file) => file.endsWith(`${sep}smtp.js`))).toBe(true);
});

test("a gateway listens before anything of tokens' library is loaded, and without undici's index", () => {
  const asking = loadedToServe().filter((file) =>
    /^import (?!type)[^;]* from "(?:jose|undici)";$/m.test(readFileSync(file, "utf8")),
  );
  expect(asking).toEqual([]);
});

test("no command is loaded beside the one that is asked for", () => {
  const commands = loadedToServe().filter((file) => file.startsWith(join(DIST, "cli") + sep));
  expect(commands.some((file) => file.endsWith("serve.js"))).toBe(true);
  expect(commands.filter((file) => /(?:keys|audit|doctor|policy|start)\.js$/.test(file))).toEqual([]);
});

test("the thread that writes starts before the rest of the gateway is loaded", () => {
  const before = [...loadedBy(join(DIST, "compose.js"))];
  expect(before.some((file) => file.endsWith("writer-link.js"))).toBe(true);
  expect(before.filter((file) => file.includes(`${sep}dataplane${sep}stages${sep}`))).toEqual([]);
  expect(before.filter((file) => readFileSync(file, "utf8").includes('from "hono"'))).toEqual([]);
});

test("a Tab loads no schemas, which take longer than it may", () => {
  const program = readFileSync(join(DIST, "cli", "program.js"), "utf8");
  const commands = [...program.matchAll(/import\("\.\/([^"]+)"\)/g)].map(([, file]) => join(DIST, "cli", file!));
  expect(commands.length).toBeGreaterThan(20);
  // `import` reads other products' files by the contract's forms.
  const atTab = [join(DIST, "main.js"), ...commands].filter((file) => !file.endsWith(join("import", "import.js")));
  const loaded = new Set(atTab.flatMap((file) => [...loadedBy(file)]));
  const heavy = [...loaded].filter((file) =>
    /^import [^;]*from "(?:@sallyport\/(?:contract|client)|zod|undici|yaml)";/m.test(readFileSync(file, "utf8")),
  );
  expect(heavy).toEqual([]);
});
