/** What `doctor` looks at of each model server: whether it answers, its clock, its cloud, and whether it is reachable past the gateway. */
import { networkInterfaces } from "node:os";
import type { UpstreamStateView, UpstreamView } from "@sallyport/contract";
import { checkOpenaiUpstream, readModelIds } from "./doctor-openai-upstream.ts";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { isOpen, PROBE_MS } from "./probe.ts";

const SKEW_MAX_SECONDS = 60;

/** Everything about one model server: whether it answers, what it says of its cloud and of the time, who else reaches it. */
export async function checkUpstream(upstream: UpstreamStateView): Promise<Finding[]> {
  return [...(await checkServer(upstream)), ...checkState(upstream)];
}

async function checkServer(upstream: UpstreamView): Promise<Finding[]> {
  const exposure = await checkExposure(upstream);
  if (upstream.kind !== undefined && upstream.kind !== "ollama")
    return [...(await checkOpenaiUpstream(upstream)), exposure];
  const reach = await checkReach(upstream);
  return reach.state === "wrong"
    ? [reach, exposure]
    : [reach, exposure, await checkCloud(upstream), ...(await checkRemoteModels(upstream))];
}

/** What an administrator decided about it and may have forgotten, and what the network can read. */
function checkState({ environment, id, url, isDrained, hasCredential }: UpstreamStateView): Finding[] {
  const server = `${environment}/${id}`;
  const findings: Finding[] = [];
  if (isDrained)
    findings.push(
      note(
        `state ${server}`,
        "upstream_drained",
        "it is drained: no requests are sent to it",
        `put it back into service: sallyport upstreams drain ${server} --undo`,
      ),
    );
  if (hasCredential && isInClear(url))
    findings.push(
      note(
        `credential ${server}`,
        "credential_in_clear",
        `its credential is sent to ${url} unencrypted`,
        "use https for this server: `sallyport upstreams tls set` stores an authority of your own",
      ),
    );
  return findings;
}

/** Another machine, without TLS. */
function isInClear(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && hostname !== "localhost" && hostname !== "[::1]" && !hostname.startsWith("127.");
}

async function checkReach({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `upstream ${environment}/${id}`;
  try {
    const { request } = await import("undici");
    const answer = await request(`${url}/api/version`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
    const text = await answer.body.text();
    if (answer.statusCode >= 500)
      return wrong(check, "upstream_failing", `${url} answers ${answer.statusCode}`, "look at the model server's log");
    if (!/^\s*\{.*"version"/s.test(text))
      return note(
        check,
        "upstream_strange",
        `${url} answers ${answer.statusCode}, and not as Ollama does`,
        Array.isArray(await readModelIds(url))
          ? "it speaks OpenAI's dialect: write `kind: openai` (or `llama.cpp`) at it in the policy"
          : "check that the environment's `upstreams` name the right server",
      );
    const skew = skewSeconds(answer.headers["date"], Date.now());
    if (skew > SKEW_MAX_SECONDS)
      return note(
        check,
        "clock_skew",
        `${url} answers; its clock is ${Math.round(skew)} s off this one's`,
        "correct both clocks: expiry times depend on this one",
      );
    return fine(check, "upstream", `${url} answers ${answer.statusCode}`);
  } catch (failure) {
    const why = failure instanceof Error ? failure.message || failure.name : String(failure);
    return wrong(
      check,
      "upstream_unreachable",
      `${url} cannot be reached: ${why}`,
      "start it, or correct the environment's upstream",
    );
  }
}

/** How far a Date header is from now, in seconds; 0 without one. */
export function skewSeconds(date: string | string[] | undefined, nowMs: number): number {
  const at = typeof date === "string" ? Date.parse(date) : Number.NaN;
  return Number.isNaN(at) ? 0 : Math.abs(nowMs - at) / 1000;
}

/** Whether the model server itself would go to the cloud: the gateway cannot keep it from what it does on its own. */
async function checkCloud({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `cloud ${environment}/${id}`;
  try {
    const { request } = await import("undici");
    const answer = await request(`${url}/api/status`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
    const { cloud } = (await answer.body.json()) as { cloud?: { disabled?: unknown } };
    if (cloud?.disabled === true) return fine(check, "ollama_cloud_off", "its cloud is off");
    return note(check, "ollama_cloud_on", "its cloud is on", "if that is not wanted, start it with OLLAMA_NO_CLOUD=1");
  } catch {
    return note(
      check,
      "ollama_cloud_unknown",
      "it does not report whether its cloud is on",
      "if it is Ollama and you do not want cloud models, start it with OLLAMA_NO_CLOUD=1",
    );
  }
}

/** Names on the server that stand for remote models: the gateway judges them as cloud models, whatever they look like. */
async function checkRemoteModels({ environment, id, url }: UpstreamView): Promise<Finding[]> {
  const check = `remote models ${environment}/${id}`;
  try {
    const { request } = await import("undici");
    const answer = await request(`${url}/api/tags`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
    const { models } = (await answer.body.json()) as { models?: { name?: unknown; remote_host?: unknown }[] };
    const remote = (models ?? []).filter(({ remote_host: host }) => typeof host === "string" && host !== "");
    if (remote.length === 0) return [];
    const names = remote.slice(0, NAMES_MAX).map(({ name, remote_host: host }) => `${String(name)} (${String(host)})`);
    const more = remote.length > NAMES_MAX ? ` and ${remote.length - NAMES_MAX} more` : "";
    return [
      note(
        check,
        "remote_models",
        `these names stand for models elsewhere: ${names.join(", ")}${more}`,
        "only keys with `cloud:infer` and a `cloud:` selector can use them; remove what is not wanted with `ollama rm`",
      ),
    ];
  } catch {
    // Not an Ollama, or unreachable: the other checks report it.
    return [];
  }
}

const NAMES_MAX = 10;

/** A model server that listens beyond loopback can be used past the gateway. */
async function checkExposure({ environment, id, url, kind = "ollama" }: UpstreamView): Promise<Finding> {
  const check = `exposure ${environment}/${id}`;
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host !== "localhost" && host !== "::1" && !host.startsWith("127.")) {
    return note(
      check,
      "upstream_elsewhere",
      `${host} is another machine or address`,
      "restrict its firewall to this host",
    );
  }
  const wanted = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  for (const address of outsideAddresses()) {
    if (await isOpen(address, wanted)) {
      return wrong(
        check,
        "upstream_exposed",
        `it also listens on ${address}:${wanted}, past the gateway`,
        kind === "ollama" ? "start Ollama with OLLAMA_HOST=127.0.0.1" : "start it with --host 127.0.0.1",
      );
    }
  }
  return fine(check, "upstream_on_loopback", "only on loopback");
}

function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .map((entry) => entry.address);
}
