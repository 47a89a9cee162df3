// Asks the gateway of this container whether it lives; exit code 0 when it does.
import { request as plain } from "node:http";
import { request as tls } from "node:https";

const port = Number(/:(\d+)$/.exec(process.env.SALLYPORT_LISTEN ?? ":11435")?.[1]);
const request = process.env.SALLYPORT_TLS_CERTIFICATE ? tls : plain;
// It speaks to itself: which names the certificate has is not the question.
const asked = request({ host: "127.0.0.1", port, path: "/healthz", timeout: 4_000, rejectUnauthorized: false });
asked.on("response", (answer) => process.exit(answer.statusCode === 200 ? 0 : 1));
asked.on("timeout", () => process.exit(1));
asked.on("error", () => process.exit(1));
asked.end();
