// Builds the Debian package: `node tools/make-deb.js [FOLDER]`, after `npm ci && npm run build`; into dist by default.
// The program is what npm would publish, with the production dependencies of this checkout. Nothing is downloaded.
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { settingsExample } from "../packages/sallyport/dist/config/settings-example.js";
import { VERSION } from "../packages/sallyport/dist/version.js";
import { manPages } from "./package/man-pages.js";

const checkout = resolve(fileURLToPath(new URL("..", import.meta.url)));
const out = resolve(process.argv[2] ?? "dist");
const architecture = run("dpkg", ["--print-architecture"]).trim();
/** Debian's name of the machine -> that of the one dependency with compiled code. */
const PREBUILT = { amd64: "linux-x64", arm64: "linux-arm64" };
if (!PREBUILT[architecture]) throw new Error(`SQLite is not prebuilt for ${architecture}: use amd64 or arm64`);

const PROGRAM = "usr/lib/sallyport";
const work = mkdtempSync(join(tmpdir(), "sallyport-deb-"));
const root = join(work, "root");
try {
  addProgram();
  addCommand();
  await addMan();
  addService();
  addControl();
  mkdirSync(out, { recursive: true });
  const file = join(out, `sallyport_${VERSION}_${architecture}.deb`);
  run("dpkg-deb", ["--root-owner-group", "--build", root, file]);
  console.log(file);
} finally {
  rmSync(work, { recursive: true });
}

function addProgram() {
  const packed = JSON.parse(
    run("npm", ["pack", "--workspaces", "--ignore-scripts", "--json", "--pack-destination", work]),
  );
  // The console is built into the program's package.
  const published = packed.filter(({ name }) => name !== "@sallyport/console");
  for (const { name, filename } of published) {
    const home = join(root, PROGRAM, "node_modules", name);
    mkdirSync(home, { recursive: true });
    run("tar", ["-xzf", join(work, filename), "-C", home, "--strip-components=1"]);
  }
  const program = join(root, PROGRAM, "node_modules/sallyport");
  // As `npm pack` does by itself where scripts are not ignored.
  run(process.execPath, ["tools/bundle.js", join(program, "dist/program")]);
  run(process.execPath, ["tools/bundle-console.js", join(program, "dist/console")]);
  chmodSync(join(program, "bin/sallyport.js"), 0o755);
  const ours = new Set(packed.map(({ name }) => name));
  for (const path of run("npm", ["ls", "--omit=dev", "--all", "--parseable"]).trim().split("\n").slice(1)) {
    const place = relative(checkout, path);
    if (ours.has(place.replace(/^node_modules\//, ""))) continue;
    cpSync(path, join(root, PROGRAM, place), { recursive: true, dereference: true, filter: isNeeded });
  }
}

/** Nested dependencies are listed by npm themselves; compiled code of other machines is of no use. */
function isNeeded(path) {
  const isNested = basename(path) === "node_modules";
  const isOtherMachine = basename(dirname(path)) === "prebuilds" && basename(path) !== PREBUILT[architecture];
  return !isNested && !isOtherMachine;
}

function addCommand() {
  mkdirSync(join(root, "usr/bin"), { recursive: true });
  symlinkSync("../lib/sallyport/node_modules/sallyport/bin/sallyport.js", join(root, "usr/bin/sallyport"));
  const places = {
    bash: "usr/share/bash-completion/completions/sallyport",
    zsh: "usr/share/zsh/vendor-completions/_sallyport",
    fish: "usr/share/fish/vendor_completions.d/sallyport.fish",
  };
  for (const [shell, place] of Object.entries(places))
    put(place, run(process.execPath, [join(root, "usr/bin/sallyport"), "completion", shell]));
}

async function addMan() {
  const pages = await manPages();
  for (const [name, text] of pages) put(`usr/share/man/man1/${name}.gz`, gzipSync(text, { level: 9 }));
}

function addService() {
  const unit = readFileSync(join(checkout, "deploy/sallyport.service"), "utf8")
    .replace("/opt/sallyport/packages/sallyport/bin", `/${PROGRAM}/node_modules/sallyport/bin`)
    .replace(/^Environment=SALLYPORT_DATA=.*$/m, "$&\nEnvironment=SALLYPORT_SETTINGS=/etc/sallyport/sallyport.yaml");
  put("usr/lib/systemd/system/sallyport.service", unit.slice(unit.indexOf("[Unit]")));
  put("etc/sallyport/sallyport.yaml", settingsExample());
  put("usr/share/doc/sallyport/copyright", readFileSync(join(checkout, "LICENSE")));
  put("usr/share/doc/sallyport/changelog.gz", gzipSync(readFileSync(join(checkout, "CHANGELOG.md")), { level: 9 }));
}

function addControl() {
  const kib = Math.ceil(sizeOf(root) / 1024);
  for (const name of readdirSync(join(checkout, "deploy/debian"))) {
    const text = readFileSync(join(checkout, "deploy/debian", name), "utf8");
    put(
      `DEBIAN/${name}`,
      text.replace("@VERSION@", VERSION).replace("@ARCHITECTURE@", architecture).replace("@KIB@", kib),
    );
    if (text.startsWith("#!")) chmodSync(join(root, "DEBIAN", name), 0o755);
  }
}

function put(place, content) {
  mkdirSync(dirname(join(root, place)), { recursive: true });
  writeFileSync(join(root, place), content, { mode: 0o644 });
}

function sizeOf(folder) {
  return Number(run("du", ["-sb", folder]).split("\t", 1)[0]);
}

function run(command, words) {
  const env = { ...process.env, SOURCE_DATE_EPOCH: process.env.SOURCE_DATE_EPOCH ?? lastCommitTime() };
  return execFileSync(command, words, { cwd: checkout, encoding: "utf8", env, stdio: ["ignore", "pipe", "inherit"] });
}

/** So that two builds of one commit are alike. */
function lastCommitTime() {
  if (!existsSync(join(checkout, ".git"))) return "0";
  return execFileSync("git", ["log", "-1", "--format=%ct"], { cwd: checkout, encoding: "utf8" }).trim();
}
