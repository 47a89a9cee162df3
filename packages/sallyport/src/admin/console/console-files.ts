/**
 * The console's own files, as the build made them: one page, its scripts and styles, by names that contain their hashes.
 * Nothing else is served, nothing comes from another origin, and the page may do only what its policy allows.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Problem } from "@sallyport/protocol";
import { answerProblem } from "../problem-answer.ts";

const LIST = "files.json";

/** Where the build puts them, seen from this file and from the one into which it is bundled. */
function builtFolder(): string {
  const folders = ["../../console/", "../console/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return folders.find((folder) => existsSync(join(folder, LIST))) ?? folders[0]!;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  // The addresses of the two workers' scripts are the only ones that code gives to the browser.
  "trusted-types sallyport-worker",
].join("; ");

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};

const SAFE = {
  "content-security-policy": POLICY,
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
};

export class ConsoleFiles {
  readonly #folder: string;
  /** By path; undefined until the first request, null where the build has no console. */
  #files: ReadonlyMap<string, Uint8Array> | null | undefined;

  /** `folder` has `index.html` and `assets/…`, and a list of them. */
  constructor(folder = builtFolder()) {
    this.#folder = folder;
  }

  /** `path` as it was asked: `/`, `/assets/…`. */
  answer(path: string): Response {
    if (this.#files === undefined) this.#files = this.#read();
    const files = this.#files;
    if (files === null) return answerProblem(new Problem("console_absent"));
    const name = path === "/" ? "index.html" : path.slice(1);
    const bytes = files.get(name);
    if (bytes === undefined) return answerProblem(new Problem("endpoint_unknown"));
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    // What has its hash in its name never changes; the page names the newest.
    const cache = name === "index.html" ? "no-cache" : "public, max-age=31536000, immutable";
    return new Response(bytes, { headers: { ...SAFE, "content-type": type, "cache-control": cache } });
  }

  #read(): ReadonlyMap<string, Uint8Array> | null {
    try {
      const names = JSON.parse(readFileSync(join(this.#folder, LIST), "utf8")) as string[];
      return new Map(names.map((name) => [name, readFileSync(join(this.#folder, name))]));
    } catch {
      return null;
    }
  }
}
