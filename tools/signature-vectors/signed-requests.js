// Makes a signed request. It may be changed before it is signed (`covers`, `says`, `headers`) or after (`request`, `after`):
// the first makes a genuine signature that must not be enough, the second a request nobody signed.
export const NOW = 1_700_000_000;
export const BODY = '{"model":"llama3.2","messages":[{"role":"user","content":"hello"}]}';
export const NONCE = "b3k2pp5k7z-50gnwp_yemd";

export function signedRequests(signWith, digests) {
  /** Covered by name and value, in order; a name is the component as it is written. */
  const ordinary = {
    '"@method"': "POST",
    '"@target-uri"': "https://llm.example.org/api/chat",
    '"@authority"': "llm.example.org",
    '"sallyport-environment"': "prod",
    '"content-digest"': `sha-256=:${digests.sha256(BODY)}:`,
    '"content-type"': "application/json",
  };
  const parameters = {
    created: NOW,
    expires: NOW + 60,
    nonce: `"${NONCE}"`,
    keyid: '"test-key-ed25519"',
    alg: '"ed25519"',
    tag: '"sallyport"',
  };
  const fields = {
    host: "llm.example.org",
    "content-type": "application/json",
    "content-length": String(BODY.length),
    "sallyport-environment": "prod",
    "content-digest": ordinary['"content-digest"'],
  };
  const without = (object, ...names) =>
    Object.fromEntries(Object.entries(object).filter(([name]) => !names.includes(name)));
  const lines = (covers) => (Array.isArray(covers) ? covers : Object.entries(covers));

  /** One signed request. */
  function made(what, change = {}) {
    const { covers = ordinary, says = parameters, by = "test-key-ed25519", headers = fields, label = "sig" } = change;
    const { request = {}, body = BODY } = change;
    const names = lines(covers).map(([name]) => name);
    const said = Object.entries(says).map(([name, value]) => `;${name}=${value}`);
    const params = `(${names.join(" ")})${said.join("")}`;
    const base = [...lines(covers), ['"@signature-params"', params]].map((line) => line.join(": ")).join("\n");
    const made = {
      what,
      method: "POST",
      scheme: "https",
      authority: "llm.example.org",
      target: "/api/chat",
      environment: "prod",
      now: NOW * 1000,
      headers: [
        ...lines(headers),
        ["signature-input", `${label}=${params}`],
        ["signature", `${label}=:${signWith(by, base)}:`],
      ],
      body,
      ...request,
    };
    change.after?.(made);
    return made;
  }
  const refused = (reason, what, change) => ({ reason, ...made(what, change) });
  const setHeader = (request, name, value) => {
    request.headers = request.headers.map((line) => (line[0] === name ? [name, value] : line));
  };
  const header = (request, name) => request.headers.find((line) => line[0] === name)[1];
  const editHeader = (name, edit) => ({ after: (request) => setHeader(request, name, edit(header(request, name))) });
  const dropHeader = (name) => ({
    after: (request) => (request.headers = request.headers.filter((line) => line[0] !== name)),
  });
  const sha512 = `sha-512=:${digests.sha512(BODY)}:`;
  const withDigest = (digest) => ({
    covers: { ...ordinary, '"content-digest"': digest },
    headers: { ...fields, "content-digest": digest },
  });
  const getCovers = { ...without(ordinary, '"content-digest"', '"content-type"'), '"@method"': "GET" };
  const get = {
    covers: { ...getCovers, '"@target-uri"': "https://llm.example.org/api/tags" },
    headers: without(fields, "content-type", "content-length", "content-digest"),
    body: "",
    request: { method: "GET", target: "/api/tags" },
  };

  return {
    made,
    refused,
    editHeader,
    dropHeader,
    setHeader,
    header,
    without,
    withDigest,
    ordinary,
    parameters,
    fields,
    get,
    getCovers,
    sha512,
  };
}
