// What `take-away.js` takes away of the life of keys: rotation and delivery.
const S = "packages/sallyport/src";

export const keyLifeRules = [
  {
    rule: "R11",
    what: "an overlap ends",
    file: `${S}/keys/secret-machine.ts`,
    from: '(secret.state === "overlapping" && (secret.endsAt ?? 0) <= now) ||',
    to: "",
    test: `${S}/keys/secret-machine.test.ts`,
  },
  {
    rule: "R11",
    what: "the overlap begins with the first use of the new secret",
    file: `${S}/keys/secret-machine.ts`,
    from: "const endsAt = Math.min(at + rotation.graceMs, rotation.capAt);",
    to: "const endsAt = Math.min(rotation.startedAt + rotation.graceMs, rotation.capAt);",
    test: `${S}/keys/secret-machine.test.ts`,
  },
  {
    rule: "R11",
    what: "a key rotates itself only where it is used",
    file: `${S}/keys/lifecycle.ts`,
    from: 'return refuse("rotation_elsewhere");',
    to: "void places;",
    test: "test/admin/rotation.test.ts",
  },
  {
    rule: "R11",
    what: "an old secret rotates nothing",
    file: `${S}/keys/lifecycle.ts`,
    from: 'if (currentSecret(key).generation !== generation) return refuse("key_rotated");',
    to: "",
    test: "test/admin/rotation.test.ts",
  },
  {
    rule: "R11",
    what: "a ticket's second opener suspends the key",
    file: `${S}/keys/ticket-desk.ts`,
    from: 'if (key && (key.state === "active" || isSuspendedForDisuse(key)))',
    to: "if (key && id === null)",
    test: `${S}/keys/ticket-desk.test.ts`,
  },
  {
    rule: "R11",
    what: "a ticket's opening is bound to one opener",
    file: `${S}/keys/ticket.ts`,
    from: "const isSame = ticket.openedBy === publicKey;",
    to: "const isSame = ticket.openedBy !== null;",
    test: `${S}/keys/ticket-desk.test.ts`,
  },
  {
    rule: "R11",
    what: "a ticket is opened from its networks alone",
    file: `${S}/keys/ticket-desk.ts`,
    from: "if (ticket.networks !== null && !this.#ports.isInside(ticket.networks, address)) {",
    to: "if (ticket.networks !== null && ticket.networks.length === 0) {",
    test: `${S}/keys/ticket-desk.test.ts`,
  },
  {
    rule: "R11",
    what: "a destroyed secret is final, in the store too",
    file: `${S}/store/operations.ts`,
    from: "demandFinal(readKey(row), life);",
    to: "void demandFinal;",
    test: "test/store/key-life.test.ts",
  },
];
