// What the bench of stalls does to the gateway, each by calls of the admin API: everything that looks at much at once.
import { keyId, personId, personName, policyText } from "./stalls-seed.js";

/** A thing that takes longer is measured until then; a sweep that makes a change for each key would take hours. */
export const PATIENCE_MS = Number(process.env.PATIENCE_MS ?? 60_000);

let made = 0;
export const newKey = () => ({
  environment: "dev",
  name: `bench ${++made}`,
  roles: ["r0"],
  allow: [],
  models: ["model-0"],
});
/** Policy texts are read within a time that a busy host may exceed: then once more. */
async function patiently(gateway, method, path, body) {
  for (let tries = 0; ; tries++) {
    try {
      return await gateway.call(method, path, body, PATIENCE_MS);
    } catch (cause) {
      if (!cause.message.includes("takes too long to read")) throw cause;
      if (tries === 5) return "timed out";
    }
  }
}

/** A hostile file: a third of a megabyte of the same key again and again. */
const hostileText = () => `environments:\n${"  dev: {}\n".repeat(30_000)}`;

/** What is done, in this order; the sweep last, because one that is given up goes on. */
export const things = {
  "idle, 2 s: what this host adds": () => new Promise((resolve) => setTimeout(resolve, 2_000)),
  "policy plan, nothing changed": ({ gateway, url, people, roles }) =>
    patiently(gateway, "POST", "/v1/policy/plan", { text: policyText({ url, people, roles }) }),
  "policy plan, half of the assignments changed": ({ gateway, url, people, roles }) =>
    patiently(gateway, "POST", "/v1/policy/plan", { text: policyText({ url, people, roles, moved: people / 2 }) }),
  "policy parsing, a hostile text": ({ gateway }) =>
    gateway.call("POST", "/v1/policy/plan", { text: hostileText() }).catch(() => undefined),
  "policy apply, 100 assignments changed": ({ gateway, url, people, roles }) =>
    patiently(gateway, "POST", "/v1/policy", { text: policyText({ url, people, roles, moved: 100 }) }),
  "policy apply, half of the assignments changed": ({ gateway, url, people, roles }) =>
    patiently(gateway, "POST", "/v1/policy", { text: policyText({ url, people, roles, moved: people / 2 }) }),
  "policy show": ({ gateway }) => patiently(gateway, "GET", "/v1/policy"),
  "findings (policy, roles, people)": ({ gateway }) => patiently(gateway, "GET", "/v1/findings"),
  "keys list, all pages": ({ gateway }) => pages(gateway, "/v1/keys", "limit=1000"),
  "people list, all pages": ({ gateway }) => pages(gateway, "/v1/principals", "kind=person&limit=1000"),
  "services list, all pages": ({ gateway }) => pages(gateway, "/v1/principals", "kind=service&limit=1000"),
  "assignments list, all pages": ({ gateway }) => pages(gateway, "/v1/assignments", "limit=1000"),
  "SCIM list, 5 pages": ({ gateway }) => scimPages(gateway, "Users", 5),
  "SCIM groups with members, 1 page": ({ gateway }) => scimPages(gateway, "Groups", 1),
  "SCIM filter by userName, 20 times": ({ gateway, people }) =>
    times(20, (n) =>
      gateway.call(
        "GET",
        `/scim/v2/Users?filter=${encodeURIComponent(`userName eq "${personName((n * 37) % people)}"`)}`,
      ),
    ),
  "SCIM provisioning, 10 people": ({ gateway }) =>
    times(10, () => gateway.call("POST", "/scim/v2/Users", newUser(`s${++made}`))),
  "audit search: a key, a principal, the newest, nothing": ({ gateway }) =>
    inTurn([`key=${keyId(7)}`, `principal=${personId(7)}`, "limit=1000", "key=zzzzzzzzzzzz"], (query) =>
      gateway.call("GET", `/v1/audit?${query}`).catch(() => undefined),
    ),
  "explain, 20 times": ({ gateway }) =>
    times(20, (n) =>
      gateway.call("POST", "/v1/explain", { keyId: keyId(n), method: "POST", path: "/api/chat", model: "model-0" }),
    ),
  metrics: ({ gateway }) => gateway.call("GET", "/metrics"),
  "key create, 3 times": ({ gateway }) => times(3, () => patiently(gateway, "POST", "/v1/keys", newKey())),
  "key revoke, 3 times": ({ gateway, size }) =>
    times(3, (n) => patiently(gateway, "POST", `/v1/keys/${keyId(size - 1 - n)}/revoke`)),
  "sweep, dry run": ({ gateway }) => patiently(gateway, "POST", "/v1/keys/sweep", { dryRun: true }),
  sweep: ({ gateway }) => patiently(gateway, "POST", "/v1/keys/sweep", { dryRun: false }),
};

export const newUser = (name) => ({
  schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
  userName: name,
  externalId: `ext-${name}`,
  emails: [{ value: `${name}@example.org`, type: "work", primary: true }],
});

async function inTurn(list, work) {
  for (const one of list) if ((await work(one)) === "timed out") return "timed out";
  return undefined;
}

const times = (count, work) =>
  inTurn(
    Array.from({ length: count }, (_, n) => n),
    work,
  );

/** Every page of a list. */
async function pages(gateway, path, query) {
  let after = "";
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const page = await patiently(gateway, "GET", `${path}?${query}${after}`);
    if (page === "timed out" || performance.now() > until) return "timed out";
    if (page.next === null) return undefined;
    after = `&after=${encodeURIComponent(page.next)}`;
  }
}

const scimPages = (gateway, kind, count) =>
  times(count, (n) => gateway.call("GET", `/scim/v2/${kind}?startIndex=${1 + n * 200}&count=200`));
