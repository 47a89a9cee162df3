/** Findings as SARIF 2.1.0, which code scanning reads. A finding is about policy, so the policy file is its place. */
import { findingCodes } from "@sallyport/protocol";
import type { FindingCode } from "@sallyport/protocol";
import type { FindingView } from "@sallyport/contract";
import { VERSION } from "../../version.ts";

const levels = { critical: "error", high: "error", medium: "warning", low: "note", info: "note" } as const;
/** GitHub sorts by it: from 9.0 critical, from 7.0 high, from 4.0 medium. */
const scores = { critical: "9.5", high: "8.0", medium: "5.0", low: "2.0", info: "0.5" } as const;

export function postureSarif(findings: readonly FindingView[]): object {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: { driver: { name: "Sallyport", version: VERSION, rules: Object.keys(findingCodes).map(ruleOf) } },
        results: findings.map(resultOf),
      },
    ],
  };
}

function ruleOf(code: string): object {
  const { says, why, severity } = findingCodes[code as FindingCode];
  return {
    id: code,
    shortDescription: { text: says },
    fullDescription: { text: `${says}: ${why}` },
    defaultConfiguration: { level: levels[severity] },
    properties: { "security-severity": scores[severity] },
  };
}

function resultOf({
  code,
  severity,
  says,
  evidence,
  remedy,
  environment,
  subject,
  status,
  accepted,
}: FindingView): object {
  const text = [says, ...evidence, ...(remedy === "" ? [] : [`Remedy: ${remedy}`])].join("\n");
  return {
    ruleId: code,
    level: levels[severity],
    kind: status === "fixed" ? "pass" : "fail",
    message: { text },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: "policy.yaml" }, region: { startLine: 1 } },
        logicalLocations: [{ fullyQualifiedName: `${environment}/${subject}`, kind: "resource" }],
      },
    ],
    // The same finding keeps its identity from run to run.
    partialFingerprints: { "sallyport/v1": `${environment}/${code}/${subject}` },
    ...(status === "accepted" && accepted !== null
      ? { suppressions: [{ kind: "external", status: "accepted", justification: accepted.reason }] }
      : {}),
  };
}
