// Proves that imports go one way. The table is the house's plan: who may import whom, folder by folder. A folder that is
// not in the table, an import it does not list, or a dependency outside its one folder fails the build.
import { readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { sourceFiles } from "./source-files.js";

const DOMAINS = [
  "keys",
  "access",
  "audit",
  "limits",
  "factors",
  "tokens",
  "identity",
  "anomaly",
  "incident",
  "usage",
  "reviews",
  "leaks",
  "usage",
];

/** The rooms of the store, each above those before it. */
const STORE = ["disk", "secrets", "state", "ledger", "search", "writer", "backup", "directory"].map(
  (room) => `store/${room}`,
);

/** A domain uses no other's verbs, only its types. */
function domain(...more) {
  return ["protocol", "contract", "kernel", "type:changes", ...more, ...DOMAINS.map((other) => `type:${other}`)];
}

/** A room imports the rooms below it. */
function storeRooms() {
  const outside = [
    "protocol",
    "ledger",
    "kernel",
    "changes",
    // What is counted is decided by the fold of the records, wherever they are read.
    "usage",
    "type:store",
    ...DOMAINS.map((domain) => `type:${domain}`),
  ];
  return Object.fromEntries(STORE.map((room, at) => [room, [...outside, ...STORE.slice(0, at)]]));
}

/** folder -> folders it may import; `type:` = types only. */
const PLAN = {
  protocol: [],
  ledger: ["protocol"],
  // Reads and verifies files; the rest of the package runs in a browser, too.
  "ledger/node": ["protocol", "ledger"],
  contract: ["protocol"],
  client: ["protocol", "contract"],
  // Runs in a browser, and carries no schema there; it checks proofs by itself.
  console: ["type:contract", "protocol", "ledger"],
  kernel: ["protocol"],
  listener: ["protocol", "kernel"],
  ...Object.fromEntries(DOMAINS.map((name) => [name, domain()])),
  audit: domain("ledger"),
  // Judges what was recorded by the decision itself.
  rightsizing: domain("access", "usage"),
  // Hashes what an auditor hashes again.
  reviews: domain("ledger"),
  changes: ["protocol", ...DOMAINS.map((domain) => `type:${domain}`)],
  config: ["protocol", "ledger", "contract", "kernel", ...DOMAINS.map((domain) => `type:${domain}`)],
  // What the rest of the program sees of the store.
  store: [...DOMAINS.map((domain) => `type:${domain}`), "type:changes"],
  ...storeRooms(),
  // The log of changes that several machines share. What it applies, it is given.
  cluster: ["protocol", "ledger", "kernel", "changes", "type:config", ...DOMAINS.map((domain) => `type:${domain}`)],
  dataplane: ["protocol", "ledger", "kernel", "listener", "type:changes", ...DOMAINS],
  outlets: ["protocol", "ledger", "kernel", "type:audit", "type:dataplane"],
  "watch-lab": ["ledger", "kernel", "anomaly"],
  admin: ["protocol", "contract", "kernel", "listener", "config", "type:changes", "rightsizing", ...DOMAINS],
  compose: [
    "protocol",
    "client",
    "ledger",
    "kernel",
    "changes",
    "listener",
    "config",
    "type:store",
    ...STORE,
    "dataplane",
    "admin",
    "outlets",
    "cluster",
    "practice",
    "rightsizing",
    ...DOMAINS,
  ],
  cli: [
    "protocol",
    "ledger",
    "contract",
    "client",
    "config",
    "compose",
    "kernel",
    "anomaly",
    "store/directory",
    "store/backup",
    "leaks",
    "reviews",
    "watch-lab",
  ],
  main: ["cli"],
  practice: [],
};

/** What runs in a browser, too. */
const NODELESS = new Set(["protocol", "ledger", "contract"]);

/** package -> the one folder that may import it. */
const OUTSIDE = {
  "@noble/curves": ["console"],
  "@noble/hashes": ["console"],
  "@photostructure/sqlite": ["store/disk"],
  "age-encryption": ["store/secrets"],
  "node:sqlite": ["store/disk"],
  "hash-wasm": ["identity"],
  hono: ["admin"],
  jose: ["tokens", "identity"],
  nodemailer: ["outlets"],
  "openid-client": ["identity"],
  "@hono/node-server": ["admin"],
  commander: ["cli"],
  otpauth: ["identity"],
  pg: ["cluster"],
  pino: ["kernel"],
  react: ["console"],
  "react-dom": ["console"],
  scimmy: ["identity"],
  uqr: ["dataplane"],
  undici: ["dataplane", "client", "cli"],
  yaml: ["kernel"],
  zod: ["contract", "config"],
};

const IMPORT = /^\s*(?:import|export)\s+(type\s)?(?:[^"';]*?\sfrom\s+)?"([^"]+)";?$/gm;
const EXPORTED = /^export (?:async )?(?:function\*?|class|const|interface|type) (\w+)/gm;
/** Names that two modules share because they are vocabularies of the same form, used under their module's name. */
const SAME_NAME = new Set(["Shape", "text", "flag", "number", "listOf"]);
const INLINE_IMPORT = /\b(?:import|require)\(\s*"([^"]+)"\s*\)/g;

/** The folder of the plan a file belongs to. */
function folderOf(file) {
  const parts = file.split(sep);
  const [, pkg, , first] = parts;
  if (pkg === "ledger" && first === "node") return "ledger/node";
  if (pkg !== "sallyport") return pkg;
  if (first === "store" && parts.length > 5) return `store/${parts[4]}`;
  if (parts.length > 4) return first;
  if (first === "compose.ts") return "compose";
  if (first === "main.ts") return "main";
  if (first === "version.ts") return "kernel";
  return `?${first}`;
}

function targetOf(file, specifier) {
  const ours = /^@sallyport\/([\w-]+)/.exec(specifier);
  if (ours) return ours[1];
  return specifier.startsWith(".") ? folderOf(normalize(join(dirname(file), specifier))) : undefined;
}

/** What each package says that it needs, and what its files use. */
const declared = new Map();
function noteUse(file, name) {
  const [, pkg] = file.split(sep);
  if (!declared.has(pkg)) {
    const said = JSON.parse(readFileSync(join("packages", pkg, "package.json"), "utf8"));
    // A private package is built into another one: an installation of that needs none of its dependencies.
    const dependencies = (said.private ? said.devDependencies : said.dependencies) ?? {};
    declared.set(pkg, { dependencies: new Set(Object.keys(dependencies)), used: new Set() });
  }
  declared.get(pkg).used.add(name);
}

const mistakes = [];
const files = sourceFiles(["packages"], (path) => /\/src\/.*\.tsx?$/.test(path) && !path.endsWith(".test.ts"));
for (const file of files) {
  const folder = folderOf(file);
  const allowed = PLAN[folder];
  if (!allowed) {
    mistakes.push(`${file}: the folder ${folder} is not in the plan`);
    continue;
  }
  const text = readFileSync(file, "utf8");
  const imports = [
    ...[...text.matchAll(IMPORT)].map((match) => ({ isType: match[1] !== undefined, specifier: match[2] })),
    ...[...text.matchAll(INLINE_IMPORT)].map((match) => ({ isType: false, specifier: match[1] })),
  ];
  for (const { isType, specifier } of imports) {
    // Written by the build.
    if (specifier.startsWith("virtual:")) continue;
    const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
    if (!specifier.startsWith(".") && !specifier.startsWith("node:")) noteUse(file, name);
    const target = targetOf(file, specifier);
    if (target !== undefined) {
      const isAllowed = target === folder || allowed.includes(target) || (isType && allowed.includes(`type:${target}`));
      if (!isAllowed)
        mistakes.push(`${file}: ${folder} may not import ${isType ? "types of " : ""}${target} (${specifier})`);
      continue;
    }
    if (NODELESS.has(folder) && specifier.startsWith("node:"))
      mistakes.push(`${file}: ${folder} runs without Node (${specifier})`);
    const homes = OUTSIDE[specifier.startsWith("node:") ? specifier : name];
    if (homes && !homes.includes(folder)) mistakes.push(`${file}: ${name} is imported in ${homes.join(" and ")} only`);
    if (!homes && !specifier.startsWith("node:")) mistakes.push(`${file}: ${name} is no dependency of the plan`);
  }
}
for (const [pkg, { dependencies, used }] of declared) {
  const undeclared = [...used].filter((name) => !dependencies.has(name));
  const unused = [...dependencies].filter((name) => !used.has(name));
  mistakes.push(...undeclared.map((name) => `packages/${pkg}: uses ${name}, which its package.json does not name`));
  mistakes.push(...unused.map((name) => `packages/${pkg}: its package.json names ${name}, which it does not use`));
}

// One name, one thing: two exports of one name in a package are two answers to "where is it?". Openers of `compose` may have
// the name of what they open.
const exported = new Map();
for (const file of files) {
  if (folderOf(file) === "compose") continue;
  const text = readFileSync(file, "utf8");
  for (const [, name] of text.matchAll(EXPORTED)) {
    const key = `${file.split(sep)[1]} ${name}`;
    exported.set(key, new Set([...(exported.get(key) ?? []), file]));
  }
}
for (const [key, places] of exported)
  if (places.size > 1 && !SAME_NAME.has(key.split(" ")[1]))
    mistakes.push(`${[...places].join(" and ")} both export ${key.split(" ")[1]}: name the second by what it is`);

// What is joined in a circle cannot be read, moved or loaded apart: types count as much as values.
const reached = new Map(files.map((file) => [file, importsOf(file)]));

function importsOf(file) {
  const text = readFileSync(file, "utf8");
  const specifiers = [...text.matchAll(IMPORT), ...text.matchAll(INLINE_IMPORT)].map((match) => match[2] ?? match[1]);
  return specifiers.filter((one) => one.startsWith(".")).map((one) => normalize(join(dirname(file), one)));
}

/** Tarjan's strongly connected components: every circle lies within one. */
function circles(graph) {
  const found = [];
  const stack = [];
  const marks = new Map();
  const visit = (file) => {
    const mark = { index: marks.size, low: marks.size, isOpen: true };
    marks.set(file, mark);
    stack.push(file);
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue;
      const other = marks.get(next) ?? visit(next);
      if (other.isOpen) mark.low = Math.min(mark.low, other.low);
    }
    if (mark.low < mark.index) return mark;
    const members = stack.splice(stack.indexOf(file));
    for (const member of members) marks.get(member).isOpen = false;
    if (members.length > 1 || graph.get(file).includes(file)) found.push(members);
    return mark;
  };
  for (const file of graph.keys()) if (!marks.has(file)) visit(file);
  return found;
}

for (const members of circles(reached))
  mistakes.push(`these files import each other in a circle: ${members.join(", ")}`);
/** A *no* and an error's code are told apart by what they are (`isRefusal`, `systemCodeOf`), not by a member of that name. */
for (const file of files)
  if (
    folderOf(file) !== "client" &&
    /"code" in \w/.test(readFileSync(file, "utf8")) &&
    !file.endsWith(join("kernel", "system-code.ts"))
  )
    mistakes.push(`${file}: asks for a member "code"; isRefusal() and systemCodeOf() ask for the thing itself`);

/**
 * "May this credential go on?" is one table. Whoever looks at what its rows look at asks the question a second time, and
 * the two would come to differ. `refuse("…")` is of the codes that the table alone gives.
 */
const STANDING = "packages/sallyport/src/dataplane/standing.ts";
const ASKED_THERE = [
  /\bisOwnerDisabled\b/,
  /\brefuseNetworks\b/,
  /\b(?:key|state|secret)Refusal\b/,
  /\bbrownoutSeconds\b/,
  /\.tokens\.isOnly\b/,
  /\.pathSecrets\b/,
  /\.state\s*[!=]==\s*"(?:active|suspended|revoked)"/,
  /\brefuse\("(?:key_revoked|key_suspended|key_expires_soon|owner_disabled|token_required|environment_not_here|network_denied|network_unbound|signature_missing|identity_missing)"/,
];
/** Of a person who has no credential yet. */
const OF_NO_CREDENTIAL = ["packages/sallyport/src/dataplane/login/session-desk.ts"];
for (const file of files) {
  const path = file.split(sep).join("/");
  if (!path.startsWith("packages/sallyport/src/dataplane/") || path === STANDING || OF_NO_CREDENTIAL.includes(path))
    continue;
  const text = readFileSync(file, "utf8");
  for (const pattern of ASKED_THERE)
    if (pattern.test(text)) mistakes.push(`${file}: ${pattern.exec(text)[0]} is asked in ${STANDING} alone`);
}

for (const mistake of mistakes) console.error(mistake);
if (files.length === 0 || mistakes.length > 0) process.exit(1);
console.log(`imports: ${files.length} files, one way`);
