// What the RFCs themselves print.

/** Appendix B.2 of RFC 9421, as far as its components and algorithms are ours; `base` alone where the message is not. */
export function rfc9421() {
  const request = {
    method: "POST",
    scheme: "https",
    authority: "example.com",
    target: "/foo?param=Value&Pet=dog",
    environment: "",
    now: 1618884473000,
    body: '{"hello": "world"}',
  };
  const digest = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
  const headers = [
    ["Host", "example.com"],
    ["Date", "Tue, 20 Apr 2021 02:07:55 GMT"],
    ["Content-Type", "application/json"],
    ["Content-Digest", digest],
    ["Content-Length", "18"],
  ];
  const vector = (section, verdict, input, signature, covered = "") => ({
    section,
    verdict,
    ...request,
    headers: [...headers, ["Signature-Input", input], ["Signature", signature]],
    base: covered && `${covered}\n"@signature-params": ${input.slice(input.indexOf("=") + 1)}`,
  });
  return [
    vector(
      "B.2.1",
      "signature_unknown_key",
      'sig-b21=();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"',
      "sig-b21=:AAAA:",
    ),
    vector(
      "B.2.2",
      "signature_component_unsupported",
      'sig-b22=("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"',
      "sig-b22=:AAAA:",
    ),
    {
      section: "B.2.4",
      verdict: "verified",
      keyid: "test-key-ecc-p256",
      base: `"@status": 200\n"content-type": application/json\n"content-digest": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\n"content-length": 23\n"@signature-params": ("@status" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-ecc-p256"`,
      signature: "wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==",
    },
    vector(
      "B.2.5",
      "verified",
      'sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"',
      "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
      '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json',
    ),
    vector(
      "B.2.6",
      "verified",
      'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"',
      "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
      '"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@method": POST\n"@path": /foo\n"@authority": example.com\n"content-type": application/json\n"content-length": 18',
    ),
  ];
}

/** Section 2 and appendix D of RFC 9530: content and field. */
export function rfc9530(digests) {
  const world = '{"hello": "world"}\n';
  return [
    { content: world, field: "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:", matches: true },
    {
      content: world,
      field: "sha-512=:YMAam51Jz/jOATT6/zvHrLVgOYTGFy1d6GJiOHTohq4yP+pgk4vf2aCsyRZOtw8MjkM7iw7yZ/WkppmM44T3qg==:",
      matches: true,
    },
    { content: "", field: "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:", matches: true },
    { content: '{"hello": "world"}', field: `sha-256=:${digests.sha256('{"hello": "world"}')}:`, matches: true },
    {
      content: '{"hello": "world"}',
      field: "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:",
      matches: false,
    },
  ];
}
