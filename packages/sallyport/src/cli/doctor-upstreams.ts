/** What `doctor` looks at of each model server: whether it answers, its clock, its cloud, and whether it is reachable past the gateway. */
import { networkInterfaces } from "node:os";
import type { UpstreamView } from "@sallyport/protocol/contract";
import type { Finding } from "./finding.ts";
import { isOpen, PROBE_MS } from "./probe.ts";

const SKEW_MAX_SECONDS = 60;

/** Everything about one model server: whether it answers, what it says of its cloud and of the time, who else reaches it. */
export async function checkUpstream(upstream: UpstreamView): Promise<Finding[]> {
  const reach = await checkReach(upstream);
  const exposure = await checkExposure(upstream);
  return reach.state === "wrong" ? [reach, exposure] : [reach, exposure, await checkCloud(upstream)];
}

async function checkReach({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `upstream ${environment}/${id}`;
  try {
    const { request } = await import("undici");
    const answer = await request(`${url}/api/version`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
    const text = await answer.body.text();
    if (answer.statusCode >= 500) return { check, state: "wrong", says: `${url} answers ${answer.statusCode}` };
    if (!/^\s*\{.*"version"/s.test(text))
      return { check, state: "note", says: `${url} answers ${answer.statusCode}, and not as Ollama does` };
    const skew = skewSeconds(answer.headers["date"], Date.now());
    if (skew > SKEW_MAX_SECONDS)
      return {
        check,
        state: "note",
        says: `${url} answers; its clock is ${Math.round(skew)} s off this one's: look at both`,
      };
    return { check, state: "ok", says: `${url} answers ${answer.statusCode}` };
  } catch (failure) {
    const why = failure instanceof Error ? failure.message || failure.name : String(failure);
    return { check, state: "wrong", says: `${url} cannot be reached: ${why}` };
  }
}

/** How far a Date header is from now, in seconds; 0 where there is none. */
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
    if (cloud?.disabled === true) return { check, state: "ok", says: "its cloud is off" };
    return { check, state: "note", says: "its cloud is on: if that is not wanted, start it with OLLAMA_NO_CLOUD=1" };
  } catch {
    return { check, state: "note", says: "it does not tell whether its cloud is on" };
  }
}

/** A model server that listens beyond loopback can be used past the gateway. */
async function checkExposure({ environment, id, url }: UpstreamView): Promise<Finding> {
  const check = `exposure ${environment}/${id}`;
  const { hostname, port, protocol } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, "");
  if (host !== "localhost" && host !== "::1" && !host.startsWith("127.")) {
    return {
      check,
      state: "note",
      says: `${host} is another machine or address: let its firewall admit only this one`,
    };
  }
  const wanted = port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
  for (const address of outsideAddresses()) {
    if (await isOpen(address, wanted)) {
      return {
        check,
        state: "wrong",
        says: `it also listens on ${address}:${wanted}, past the gateway: set OLLAMA_HOST=127.0.0.1`,
      };
    }
  }
  return { check, state: "ok", says: "only on loopback" };
}

function outsideAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter((entry) => !entry.internal && !entry.address.startsWith("fe80:"))
    .map((entry) => entry.address);
}
