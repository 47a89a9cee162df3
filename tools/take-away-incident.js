// Rules of incidents: the key is stopped, nothing hostile in a report does anything, a replacement is no more than it replaces.
const S = "packages/sallyport/src";
const routes = "test/admin/incidents.test.ts";
const report = `${S}/incident/report.test.ts`;
const radius = `${S}/store/radius/key-radius.test.ts`;
const whole = "test/gateway/incident.test.ts";

export const incidentRules = [
  {
    rule: "R10",
    what: "opening an incident stops the key",
    file: `${S}/admin/routes/incidents.ts`,
    from: 'state: "suspended", reason: INCIDENT_REASON',
    to: 'state: "active", reason: INCIDENT_REASON',
    test: routes,
  },
  {
    rule: "R10",
    what: "the key is stopped before the incident is written",
    file: `${S}/admin/routes/incidents.ts`,
    from: "    const isStopped =",
    to: "    ports.incidents.put(incident);\n    const isStopped =",
    test: routes,
  },
  {
    rule: "R10",
    what: "a key of an open incident does not work again by the way",
    file: `${S}/admin/routes/keys.ts`,
    from: "  if (incident)\n",
    to: '  if (incident?.id === "")\n',
    test: routes,
  },
  {
    rule: "R6",
    what: "a replacement is the closer's to give",
    file: `${S}/admin/routes/reissue-key.ts`,
    from: "  refuseExcess(excessRight(right, ceiling, snapshot.roles));\n",
    to: "",
    test: routes,
  },
  {
    rule: "R6",
    what: "a replacement needs the permission to issue",
    file: `${S}/admin/routes/reissue-key.ts`,
    from: '  if (!right.permissions.includes("keys:issue")) throw new Problem("permission_denied", "keys:issue");\n',
    to: "",
    test: routes,
  },
  {
    rule: "R10",
    what: "a close that was cut off makes no second key",
    file: `${S}/admin/routes/incidents.ts`,
    from: "    await refuseClosedBefore(call, incident);\n",
    to: "",
    test: routes,
  },
  {
    rule: "R9",
    what: "hostile names stay text in the report's HTML",
    file: `${S}/incident/hostile-text.ts`,
    from: "return plainText(text).replace(/[&<>\"']/g, (one) => HTML[one] ?? one);",
    to: "return plainText(text).replace(/[&]/g, (one) => HTML[one] ?? one);",
    test: report,
  },
  {
    rule: "R9",
    what: "hostile names stay text in the report's Markdown",
    file: `${S}/incident/hostile-text.ts`,
    from: '.replace(/[\\\\`*_{}[\\]<>#|~&!@$^=]/g, "\\\\$&")',
    to: "",
    test: report,
  },
  {
    rule: "R9",
    what: "what steers a reader's screen is shown as its code",
    file: `${S}/incident/hostile-text.ts`,
    from: "const UNSEEN = /[\\p{C}\\p{Zl}\\p{Zp}]/gu;",
    to: "const UNSEEN = /[\\p{Zl}]/gu;",
    test: report,
  },
  {
    rule: "R9",
    what: "a report loads and runs nothing",
    file: `${S}/incident/report-html.ts`,
    from: "default-src 'none'; ",
    to: "",
    test: report,
  },
  {
    rule: "R13",
    what: "the radius has bounds, and says what it left out",
    file: `${S}/store/radius/addresses.ts`,
    from: "if (!held && this.#places.size >= ADDRESSES_MAX) {",
    to: "if (!held && this.#places.size < 0) {",
    test: radius,
  },
  {
    rule: "R7",
    what: "a key's radius is of its own environment",
    file: `${S}/store/radius/key-radius.ts`,
    from: "if (actor === this.#actor && record.environment === environment && this.#isUse(record, isCounted)) return;",
    to: "if (actor === this.#actor && this.#isUse(record, isCounted)) return;",
    test: radius,
  },
  {
    rule: "R13",
    what: "incidents are in backups",
    file: `${S}/store/backup-contents.ts`,
    from: "      ...incidentFiles(paths),\n",
    to: "",
    test: whole,
  },
];
