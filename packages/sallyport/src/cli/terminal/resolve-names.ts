/** Names where the admin API takes ids: a key is found by its unique name; two keys of one name are an error that lists both ids. */
import type { AdminClient } from "@sallyport/client";
import { didYouMean, Problem } from "@sallyport/protocol";
import { allKeys } from "./every-page.ts";

/** The form of ids. A name may look like one, so an unknown id is looked up by name, too. */
const ID = /^[0-9A-Za-z]{12}$/;

interface Named {
  readonly id: string;
  readonly name: string;
  readonly environment?: string;
  readonly state: string;
}

interface Input {
  readonly params?: { readonly id?: string };
  readonly body?: { readonly keyId?: string };
  readonly query?: { readonly key?: string };
}

type Call = (name: string, input?: Input) => Promise<unknown>;

/** The same client, whose routes about one key take its name. */
export function acceptNames(client: AdminClient): AdminClient {
  const send = client.call.bind(client) as unknown as Call;
  const call: Call = async (route, input) => {
    const given = nameIn(route, input);
    if (given === undefined) return send(route, input);
    if (ID.test(given)) {
      try {
        return await send(route, input);
      } catch (failure) {
        if (!(failure instanceof Problem) || failure.code !== "not_found") throw failure;
        const id = idOf(given, await listFor(route, client));
        if (id === undefined) throw failure;
        return send(route, withId(input, id));
      }
    }
    const keys = await listFor(route, client);
    const id = idOf(given, keys);
    if (id === undefined) {
      const near = didYouMean(given, keys.map(({ name }) => name)); // prettier-ignore
      throw new Problem(
        "not_found",
        `there is no key with the id or name ${JSON.stringify(given)}; ${listCommand(route)} prints them${near}`,
      );
    }
    return send(route, withId(input, id));
  };
  return { call, tail: client.tail.bind(client), close: client.close.bind(client) } as unknown as AdminClient;
}

/** Decided by the field, not by a list of routes: a new route that takes a key's id takes its name, too. */
function nameIn(route: string, input: Input | undefined): string | undefined {
  if (route.startsWith("keys.") || route.startsWith("adminKeys.")) return input?.params?.id;
  return input?.query?.key ?? input?.body?.keyId;
}

function withId(input: Input | undefined, id: string): Input {
  if (input?.params?.id !== undefined) return { ...input, params: { ...input.params, id } };
  if (input?.query?.key !== undefined) return { ...input, query: { ...input.query, key: id } };
  return { ...input, body: { ...input?.body, keyId: id } };
}

function listCommand(route: string): string {
  return route.startsWith("adminKeys.") ? "`sallyport admin keys list`" : "`sallyport keys list`";
}

async function listFor(route: string, client: AdminClient): Promise<readonly Named[]> {
  return route.startsWith("adminKeys.") ? (await client.call("adminKeys.list")).keys : allKeys(client);
}

/** Of keys that still exist where there is one, so that a name may be used again after a revocation. */
function idOf(name: string, keys: readonly Named[]): string | undefined {
  const named = keys.filter((key) => key.name === name);
  const live = named.filter(({ state }) => state !== "revoked");
  const meant = live.length > 0 ? live : named;
  if (meant.length > 1)
    throw new Problem(
      "input_invalid",
      `${meant.length} keys are named ${JSON.stringify(name)}: use the id`,
      meant.map(({ id, environment, state }) => [id, environment, state].filter(Boolean).join(" ")),
    );
  return meant[0]?.id;
}
