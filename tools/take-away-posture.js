// What of the rules about findings, tests of policy and lists of access is taken away; see `take-away.js`.
const S = "packages/sallyport/src";
const accepted = "test/admin/accepted-findings.test.ts";

export const postureRules = [
  {
    rule: "findings",
    what: "an administrator of one environment is not told of others",
    file: `${S}/access/posture/posture-findings.ts`,
    from: "return work.filter(all, ({ environment }) => facts.isShown(environment));",
    to: "return all;",
    test: `${S}/access/posture/posture-findings.test.ts`,
  },
  {
    rule: "findings",
    what: "an accepted finding is open again after its date",
    file: `${S}/access/posture/finding-record.ts`,
    from: "record?.acceptance && now < record.acceptance.until",
    to: "record?.acceptance",
    test: accepted,
  },
  {
    rule: "findings",
    what: "a finding is accepted by those who administer its environment",
    file: `${S}/admin/routes/findings.ts`,
    from: "isShown: (environment) => administers(caller.issuer.right, environment)",
    to: "isShown: (environment) => administers(caller.issuer.right, environment) || true",
    test: accepted,
  },
  {
    rule: "findings",
    what: "the acceptance of a finding goes with its environment",
    file: `${S}/admin/apply-policy.ts`,
    from: "return [...findings, ...left];",
    to: "return left;",
    test: accepted,
  },
  {
    rule: "findings",
    what: "an acceptance ends within 400 days",
    file: `${S}/admin/routes/findings.ts`,
    from: "if (until > now + ACCEPTED_MAX_MS)",
    to: "if (until > Infinity)",
    test: accepted,
  },
  {
    rule: "policy",
    what: "a test of the policy that fails rejects the file",
    file: `${S}/admin/apply-policy.ts`,
    from: "if (failures.length > 0)",
    to: "if (failures.length > Infinity)",
    test: `${S}/admin/apply-policy.test.ts`,
  },
  {
    rule: "policy",
    what: "a test of the policy can demand a denial",
    file: `${S}/access/policy-tests.ts`,
    from: "await work.each(test.mayNot, (demand) => failures.push(...failureOf(test, right, demand, false)));",
    to: "",
    test: `${S}/access/policy-tests.test.ts`,
  },
  {
    rule: "access",
    what: "the list of access shows an administrator their environments alone",
    file: `${S}/admin/routes/access.ts`,
    from: "administers(call.caller.issuer.right, name);",
    to: "true;",
    test: "test/admin/access-list.test.ts",
  },
];
