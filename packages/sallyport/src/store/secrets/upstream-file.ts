/**
 * States of model servers in one encrypted file (ADR 70): their credentials are secrets, and whether they are drained must
 * survive a restart as well. What belongs to a server that policy no longer names is removed.
 */
import { existsSync, rmSync } from "node:fs";
import { Problem } from "@sallyport/protocol";
import type { Environment } from "../../access/policy.ts";
import type { UpstreamAt, UpstreamState, UpstreamStates } from "../../access/upstream-state.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Sealer } from "../../keys/sealer.ts";
import type { DataPaths } from "../disk/data-paths.ts";
import { syncDirectory } from "../disk/durable-file.ts";
import { json, listOf, object, orNull, text, yesNo } from "../disk/json-shape.ts";
import { readSecretFile, upstreamFile, writeSecretFile } from "./sealed-files.ts";

const client = object({ certificate: text, key: text });
const entry = object({
  environment: text,
  id: text,
  url: text,
  isDrained: yesNo,
  credential: orNull(text),
  tls: orNull(object({ ca: orNull(text), client: orNull(client) })),
});
const fileShape = json(object({ upstreams: listOf(entry) }));

const UNTOUCHED: UpstreamState = { isDrained: false, credential: null, tls: null };

interface Entry extends UpstreamAt {
  readonly environment: string;
  readonly state: UpstreamState;
}

export class UpstreamFile implements UpstreamStates {
  readonly #paths: DataPaths;
  readonly #sealer: Sealer;
  readonly #listeners: (() => void)[] = [];
  #entries: ReadonlyMap<string, Entry>;

  /** Throws `store_unavailable` for a damaged file. */
  constructor(paths: DataPaths, sealer: Sealer) {
    this.#paths = paths;
    this.#sealer = sealer;
    this.#entries = new Map(read(paths, sealer).map((one) => [nameOf(one.environment, one), one]));
  }

  of(environment: string, upstream: UpstreamAt): UpstreamState {
    return this.#entries.get(nameOf(environment, upstream))?.state ?? UNTOUCHED;
  }

  put(environment: string, { id, url }: UpstreamAt, state: UpstreamState): void {
    const entries = new Map(this.#entries);
    const name = nameOf(environment, { id, url });
    if (state.isDrained || state.credential !== null || state.tls !== null)
      entries.set(name, { environment, id, url, state });
    else entries.delete(name);
    this.#write(entries);
  }

  /** Removes what belongs to servers that policy does not name any more: nothing comes back with them. */
  follow(environments: ReadonlyMap<string, Environment>): void {
    if (this.#entries.size === 0) return;
    const kept = [...this.#entries].filter(([, { environment, id, url }]) =>
      environments.get(environment)?.upstreams.some((one) => one.id === id && one.url === url),
    );
    if (kept.length < this.#entries.size) this.#write(new Map(kept));
  }

  /** Called after each change. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  #write(entries: ReadonlyMap<string, Entry>): void {
    const { path } = upstreamFile(this.#paths);
    const upstreams = [...entries.values()].map(({ environment, id, url, state }) => ({
      environment,
      id,
      url,
      isDrained: state.isDrained,
      credential: state.credential?.reveal() ?? null,
      tls: state.tls && {
        ca: state.tls.ca,
        client: state.tls.client && { ...state.tls.client, key: state.tls.client.key.reveal() },
      },
    }));
    try {
      if (upstreams.length > 0)
        writeSecretFile(this.#sealer, upstreamFile(this.#paths), Buffer.from(`${JSON.stringify({ upstreams })}\n`));
      else {
        rmSync(path, { force: true });
        syncDirectory(this.#paths.secrets);
      }
    } catch (cause) {
      // Without the cause: it may quote what could not be written.
      throw new Problem("store_unavailable", `${path} cannot be written (${codeOf(cause)})`);
    }
    this.#entries = entries;
    for (const listen of this.#listeners) listen();
  }
}

function nameOf(environment: string, { id, url }: UpstreamAt): string {
  return `${environment}/${id} ${url}`;
}

function read(paths: DataPaths, sealer: Sealer): Entry[] {
  const file = upstreamFile(paths);
  if (!existsSync(file.path)) return [];
  const plaintext = readSecretFile(sealer, file).toString("utf8");
  try {
    return fileShape(plaintext, "upstreams").upstreams.map(({ environment, id, url, isDrained, credential, tls }) => ({
      environment,
      id,
      url,
      state: {
        isDrained,
        credential: credential === null ? null : new Secret(credential),
        tls: tls && { ca: tls.ca, client: tls.client && { ...tls.client, key: new Secret(tls.client.key) } },
      },
    }));
  } catch {
    throw new Problem("store_unavailable", `${file.path} is damaged: restore it from a backup`);
  }
}

function codeOf(cause: unknown): string {
  const { code } = cause as { code?: unknown };
  return typeof code === "string" ? code : "unknown";
}
