/** Model servers: what policy names, and what administrators decide about them beside it. */
import { z } from "zod";
import type { ContractRow } from "./row.ts";
import { environmentName, nothing } from "./scalars.ts";
import { upstreamStateView } from "./views.ts";

const at = z.strictObject({
  name: environmentName,
  upstream: z.string().regex(/^[a-z0-9][a-z0-9-]{0,31}$/, "is not an upstream id (a-z, 0-9, -)"),
});
/** Certificates or a key, as files hold them. */
const pem = z
  .string()
  .min(1, "is empty")
  .max(64 * 1024);
/** For the example: a certificate that protects nothing. */
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmTCCAT+gAwIBAgIUQMu13tcdqchiL9PhmrtHAwLOJZ4wCgYIKoZIzj0EAwIw
EzERMA8GA1UEAwwIb25lLnRlc3QwIBcNMjYxMTIzMTgwNTAxWhgPMjEyNjEwMzAx
ODA1MDFaMBMxETAPBgNVBAMMCG9uZS50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0D
AQcDQgAE/FyVV808IKhFP0fCQ44HuU9E8/8EU/Z4Yhq+6q478x6ORVvZSr2dJRr6
K6QtjVlKoWoxd6frC0GMYUjZDcI9MqNvMG0wHQYDVR0OBBYEFKsjJ/sAlthtQYg8
OgkoWwpLQtQbMB8GA1UdIwQYMBaAFKsjJ/sAlthtQYg8OgkoWwpLQtQbMA8GA1Ud
EwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAoGCCqGSM49
BAMCA0gAMEUCIH20fwvnTzVKveFa3C2jw88wnsPBL4zfUdmxNlIm7MA0AiEA9wOT
p1uwnhIV5rWEVmueZqkYETj32nzi5ke1Ionih80=
-----END CERTIFICATE-----
`;
const params = { name: "dev", upstream: "u1" };

export const upstreamRows = {
  "upstreams.list": {
    method: "GET",
    path: "/v1/upstreams",
    params: nothing,
    query: z.strictObject({ environment: environmentName.optional() }),
    body: null,
    answer: z.object({ upstreams: z.array(upstreamStateView) }),
    status: 200,
    permission: "policy:read",
    caller: "any",
    events: [],
    says: "lists the model servers of the environments the caller administers, with their state",
  },
  "upstreams.drain": {
    method: "POST",
    path: "/v1/environments/:name/upstreams/:upstream/drain",
    params: at,
    query: nothing,
    body: z.strictObject({
      /** False puts it back into service. */
      isDrained: z.boolean().default(true),
    }),
    answer: upstreamStateView,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["upstream.drained", "upstream.resumed"],
    says: "sends a model server no new requests, or puts it back into service; running requests finish",
    example: { params, body: {} },
  },
  "upstreams.setCredential": {
    method: "POST",
    path: "/v1/environments/:name/upstreams/:upstream/credential",
    params: at,
    query: nothing,
    body: z.strictObject({
      credential: z
        .string()
        .regex(/^[\x21-\x7e]{1,4096}$/, "is not a bearer token: 1 to 4,096 visible ASCII characters without spaces"),
    }),
    answer: upstreamStateView,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["upstream.credential_set"],
    says: "stores the credential that the gateway sends to a model server; it can never be read again",
    example: { params, body: { credential: "token-abc123" } },
  },
  "upstreams.removeCredential": {
    method: "DELETE",
    path: "/v1/environments/:name/upstreams/:upstream/credential",
    params: at,
    query: nothing,
    body: null,
    answer: upstreamStateView,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["upstream.credential_removed"],
    says: "removes the credential of a model server",
    example: { params },
  },
  "upstreams.setTls": {
    method: "POST",
    path: "/v1/environments/:name/upstreams/:upstream/tls",
    params: at,
    query: nothing,
    body: z.strictObject({
      /** Authorities that the server's certificate may come from; default: those of the system. */
      ca: pem.optional(),
      certificate: pem.optional(),
      key: pem.optional(),
    }),
    answer: upstreamStateView,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["upstream.tls_set"],
    says: "stores the certificates for TLS to a model server: its authorities, and the gateway's own with its key",
    example: { params: { name: "dev", upstream: "gpu" }, body: { ca: CERTIFICATE } },
  },
  "upstreams.removeTls": {
    method: "DELETE",
    path: "/v1/environments/:name/upstreams/:upstream/tls",
    params: at,
    query: nothing,
    body: null,
    answer: upstreamStateView,
    status: 200,
    permission: "policy:write",
    caller: "any",
    events: ["upstream.tls_removed"],
    says: "removes the certificates for TLS to a model server",
    example: { params },
  },
} as const satisfies Record<string, ContractRow>;
