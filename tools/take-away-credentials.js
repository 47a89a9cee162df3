// What `take-away.js` takes away of credentials on a client's machine, and of what is told of keys that are damaged or guessed.
const C = "packages/client/src";

export const credentialRules = [
  {
    rule: "credential",
    what: "places that disagree are refused",
    file: `${C}/credential/resolve.ts`,
    from: "if (other.kind === one.kind && other.secret.reveal() !== one.secret.reveal())",
    to: "if (other.kind !== one.kind && other === one)",
    test: `${C}/credential/resolve.test.ts`,
  },
  {
    rule: "credential",
    what: "a file others can read is refused",
    file: `${C}/credential/private-file.ts`,
    from: 'if (mistakes.length > 0) throw new Problem("credential_unsafe", path, mistakes);',
    to: "void mistakes;",
    test: `${C}/credential/resolve.test.ts`,
  },
  {
    rule: "credential",
    what: "a program others can change is not run",
    file: `${C}/credential/credential-program.ts`,
    from: 'if (mistakes.length > 0) throw new Problem("credential_unsafe", `the helper ${program}`, mistakes);',
    to: "void mistakes;",
    test: `${C}/credential/resolve.test.ts`,
  },
  {
    rule: "credential",
    what: "a key goes to its own environment's gateway entry alone",
    file: `${C}/credential/credential.ts`,
    from: "if (environment !== null && environment !== said.environment)",
    to: "if (environment === said.id)",
    test: `${C}/credential/resolve.test.ts`,
  },
  {
    rule: "credential",
    what: "the client's fetch speaks to one gateway alone",
    file: `${C}/sallyport-fetch.ts`,
    from: "if (!URL.canParse(target) || new URL(target).origin !== origin)",
    to: "if (!URL.canParse(target))",
    test: `${C}/sallyport-fetch.test.ts`,
  },
  {
    rule: "credential",
    what: "the client's fetch follows no redirect",
    file: `${C}/sallyport-fetch.ts`,
    from: 'redirect: "error" };',
    to: 'redirect: "follow" };',
    test: `${C}/sallyport-fetch.test.ts`,
  },
];
