/** Reads a provider's users and groups as a SCIM server has them (RFC 7644, 3.4.2), page by page and whole, or not at all. */
import type { SendBounded } from "../kernel/bounded-request.ts";
import type { Secret } from "../kernel/secret.ts";
import { readJson } from "../kernel/strict-json/read-json.ts";

export interface DirectoryReaderPorts {
  /** The base address, without a slash at its end. */
  readonly url: string;
  readonly bearer: Secret;
  readonly send: SendBounded;
}

export interface DirectoryUser {
  readonly id: string;
  readonly externalId: string | null;
  readonly userName: string | null;
  readonly isActive: boolean | undefined;
}

export interface DirectoryGroupPage {
  readonly name: string;
  /** Ids of users. */
  readonly members: readonly string[];
}

const PAGE = 200;
const RESOURCES_MAX = 100_000;
const GROUP = /^[^\s\p{C}](?:[^\p{C}]{0,98}[^\s\p{C}])?$/u;

type Fields = Readonly<Record<string, unknown>>;

export class DirectoryReader {
  readonly #ports: DirectoryReaderPorts;

  constructor(ports: DirectoryReaderPorts) {
    this.#ports = ports;
  }

  /** All of them, or those that were changed since then (epoch ms). */
  async users(since: number | null): Promise<readonly DirectoryUser[]> {
    const filter = since === null ? "" : `&filter=${encodeURIComponent(`meta.lastModified gt "${isoTime(since)}"`)}`;
    return (await this.#all(`/Users?attributes=id,externalId,userName,active${filter}`)).map((user) => ({
      id: textOf(user["id"], "a user's id"),
      externalId: typeof user["externalId"] === "string" ? user["externalId"] : null,
      userName: typeof user["userName"] === "string" ? user["userName"] : null,
      isActive: typeof user["active"] === "boolean" ? user["active"] : undefined,
    }));
  }

  async groups(): Promise<readonly DirectoryGroupPage[]> {
    return (await this.#all("/Groups?attributes=displayName,members")).map((group) => {
      const { members } = group;
      if (members !== undefined && !Array.isArray(members)) throw new Error("a group's members are no list");
      const list: readonly unknown[] = members ?? [];
      const name = textOf(group["displayName"], "a group's name");
      if (!GROUP.test(name)) return { name: "", members: [] };
      return { name, members: list.map((one) => textOf((one as Fields | null)?.["value"], "a member's id")) };
    });
  }

  /** A listing that changes its total or ends early is no listing. */
  async #all(path: string): Promise<readonly Fields[]> {
    const found: Fields[] = [];
    for (;;) {
      const page = await this.#page(`${path}&startIndex=${found.length + 1}&count=${PAGE}`);
      const { totalResults, Resources = [] } = page as { totalResults?: unknown; Resources?: unknown };
      if (typeof totalResults !== "number" || totalResults > RESOURCES_MAX || !Array.isArray(Resources))
        throw new Error("the directory's answer is no list, or too long a one");
      const list: readonly unknown[] = Resources;
      for (const one of list) {
        if (typeof one !== "object" || one === null) throw new Error("the directory lists what is no resource");
        found.push(one as Fields);
      }
      if (found.length === totalResults) return found;
      if (list.length === 0 || found.length > totalResults) throw new Error("the directory's list is not whole");
    }
  }

  async #page(path: string): Promise<Fields> {
    const { url, bearer, send } = this.#ports;
    const headers = { authorization: `Bearer ${bearer.reveal()}`, accept: "application/scim+json, application/json" };
    const answer = await send({ method: "GET", url: `${url}${path}`, headers });
    if (answer.status !== 200) throw new Error(`the directory answered ${answer.status}`);
    const read = readJson(Buffer.from(answer.text, "utf8"));
    if (!read.ok || typeof read.value !== "object" || read.value === null)
      throw new Error("the directory's answer is no strict JSON");
    return read.value as Fields;
  }
}

function textOf(value: unknown, what: string): string {
  if (typeof value !== "string" || value === "" || value.length > 256) throw new Error(`${what} is missing`);
  return value;
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
