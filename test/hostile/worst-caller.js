// One weak caller who does its worst until it is told to end, in a process of its own: `node worst-caller.js '{"kind": …}'`.
// It prints what it managed to do. It is not a test; `weakest-callers.test.ts` runs it beside a victim.
import { connect } from "node:net";
import { setPriority } from "node:os";

// It stands for another machine: it must not take the processor away from the gateway.
setPriority(15);

const { kind, dataUrl, adminUrl, key, sockets } = JSON.parse(process.argv[2]);
let isEnded = false;
const counts = { opened: 0, refused: 0, answers: 0 };
const isOver = () => isEnded;

/** A connection that sends these pieces and reads, or does not; another takes its place when it closes. */
function hold(url, pieces, reads = true) {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, ...(reads ? {} : { onread: { buffer: Buffer.alloc(64), callback: () => false } }) }); // prettier-ignore
  let wasOpen = false;
  socket.on("connect", () => {
    wasOpen = true;
    counts.opened++;
    for (const piece of pieces()) socket.write(piece);
  });
  socket.on("error", () => {});
  if (reads) socket.on("data", () => counts.answers++);
  socket.on("close", () => {
    if (!wasOpen) counts.refused++;
    // A machine that wants all sockets waits a moment: it would spend itself on connecting.
    if (!isOver())
      setTimeout(() => !isOver() && hold(url, pieces, reads), kind === "sockets" ? 250 : wasOpen ? 5 : 100);
  });
}

/** Sends one request after another over a connection, many without waiting. */
function flood(url, text, depth = 20) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("connect", () => socket.write(Array.from({ length: depth }, text).join("")));
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    const answers = chunk.toString("latin1").split("HTTP/1.1 ").length - 1;
    counts.answers += answers;
    if (answers > 0 && !isOver()) socket.write(Array.from({ length: answers }, text).join(""));
  });
  socket.on("close", () => !isOver() && setTimeout(() => !isOver() && flood(url, text, depth), 10));
}

const head = (method, path, credential, more = "") =>
  `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${credential ? `authorization: Bearer ${credential}\r\n` : ""}${more}`;
const times = (count, act) => {
  for (let i = 0; i < count; i++) act(i);
};
const form = (path, body) =>
  head(
    "POST",
    path,
    null,
    `content-type: application/x-www-form-urlencoded\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  );
let number = 0;

const kinds = {
  stranger() {
    times(300, () => hold(dataUrl, () => ["GET /api/tags HTTP/1.1\r\nhost: local"]));
    times(300, () => hold(dataUrl, () => [`${head("POST", "/api/chat", null)}content-length: 60000\r\n\r\n{`]));
    times(100, () => hold(dataUrl, () => [`${head("POST", "/oauth/token", null)}content-type: application/x-www-form-urlencoded\r\ncontent-length: 4000\r\n\r\na`])); // prettier-ignore
    times(300, () => hold(adminUrl, () => [`${head("POST", "/v1/keys", null)}content-length: 100000\r\n\r\n{`]));
    times(300, () => hold(adminUrl, () => ["GET "]));
    times(4, () =>
      flood(dataUrl, () => `${head("GET", "/api/tags", `sp_dev_${String(++number).padStart(12, "0")}_bad`)}\r\n`),
    );
    times(2, () => flood(dataUrl, () => form("/e/dev/oauth/device_authorization", "client_id=sallyport-cli")));
    times(2, () => flood(adminUrl, () => `${head("GET", "/v1/keys", "spa_system_bad")}\r\n`));
  },
  embedder() {
    const upload = () => [`${head("POST", "/api/embed", key)}content-type: application/json\r\ncontent-length: 33000000\r\n\r\n{"model":"llama3.2","input":"`, "x".repeat(20_000_000)]; // prettier-ignore
    times(16, () => hold(dataUrl, upload));
    times(300, () => hold(dataUrl, () => [`${head("POST", "/api/embed", key)}content-length: 100000\r\n\r\n{`]));
    const body = JSON.stringify({ model: "llama3.2", input: "x".repeat(2_000) });
    times(4, () => flood(dataUrl, () => `${head("POST", "/api/embed", key, `content-length: ${body.length}\r\n`)}\r\n${body}`, 4)); // prettier-ignore
  },
  viewer() {
    times(8, () => flood(adminUrl, () => `${head("GET", `/v1/audit?environment=dev&code=c${++number}&limit=1000`, key)}\r\n`, 4)); // prettier-ignore
    times(100, () => hold(adminUrl, () => [`${head("GET", "/v1/audit/tail?environment=dev", key)}\r\n`]));
    times(2, () => flood(adminUrl, () => `${head("GET", "/v1/status", key)}\r\n`));
    times(2, () => flood(adminUrl, () => `${head("POST", "/v1/keys/000000000000/revoke", key)}\r\n`));
  },
  provisioner() {
    const user = () =>
      JSON.stringify({ schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: `u${++number}` });
    const post = () => {
      const body = user();
      return `${head("POST", "/scim/v2/Users", key, `content-type: application/scim+json\r\ncontent-length: ${body.length}\r\n`)}\r\n${body}`;
    };
    times(8, () => flood(adminUrl, post, 4));
    times(8, () => flood(adminUrl, () => `${head("GET", "/scim/v2/Users?count=200", key)}\r\n`, 4));
  },
  "silent reader"() {
    const body = JSON.stringify({ model: "llama3.2", messages: [{ role: "user", content: "endless" }] });
    const chat = () => [`${head("POST", "/api/chat", key)}content-length: ${body.length}\r\n\r\n${body}`];
    times(200, () => hold(dataUrl, chat, false));
    times(50, () =>
      hold(dataUrl, () => Array.from({ length: 50 }, () => `${head("GET", "/api/tags", key)}\r\n`), false),
    );
  },
  sockets() {
    // Some at a time, so that the system's own queue of new connections is not all there is to see.
    let open = 0;
    const more = () => {
      times(Math.min(500, sockets - open), () =>
        open++ % 8 === 0 ? hold(adminUrl, () => []) : hold(dataUrl, () => ["P"]),
      );
      if (open < sockets && !isOver()) setTimeout(more, 20);
    };
    more();
  },
};

kinds[kind]();
process.on("SIGTERM", () => {
  isEnded = true;
  console.log(JSON.stringify(counts));
  process.exit(0);
});
// Whoever started it may be gone.
setTimeout(() => process.exit(1), 60_000);
