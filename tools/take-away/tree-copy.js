// A copy of the tree to edit: the files git knows, built by stripping types, with the dependencies linked and the
// workspaces its own.
import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { builtFile, stripTypes } from "./edited-files.js";

/** The files git knows at `root`, or would know, relative to it. */
export function filesOfTree(root) {
  const words = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", words, { cwd: root, encoding: "utf8" }).split("\n").filter(Boolean);
  // Git also lists a file that was deleted and not yet committed.
  return files.filter((file) => existsSync(join(root, file)));
}

/** Copies the tree at `root` into the new folder `copy` and builds it. Throws when a source does not parse. */
export function copyTree(root, copy) {
  for (const file of filesOfTree(root)) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    cpSync(join(root, file), join(copy, file));
    const built = builtFile(file);
    if (built !== undefined) {
      mkdirSync(dirname(join(copy, built)), { recursive: true });
      writeFileSync(join(copy, built), stripTypes(file, readFileSync(join(root, file), "utf8")));
    }
  }
  linkDependencies(root, join(root, "node_modules"), copy, join(copy, "node_modules"));
}

function linkDependencies(root, from, copy, to) {
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    // npm links the workspaces into `node_modules`, some of them in a scope's folder.
    const isScope = name.startsWith("@") && readdirSync(path).some((member) => isLink(join(path, member)));
    if (isScope) linkDependencies(root, path, copy, join(to, name));
    else symlinkSync(ownPath(root, realpathSync(path), copy), join(to, name));
  }
}

/** A workspace is the copy's own; a dependency is where it is. */
function ownPath(root, path, copy) {
  const below = relative(realpathSync(root), path);
  const isWorkspace = !/^(?:\.\.|node_modules)(?:\/|$)/.test(below);
  return isWorkspace ? join(copy, below) : path;
}

const isLink = (path) => lstatSync(path).isSymbolicLink();
