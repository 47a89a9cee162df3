/** Findings as SARIF 2.1.0, which GitHub, GitLab and editors read. */
import type { Leak } from "./scan-content.ts";

const RULE = "sallyport-leaked-key";

export function toSarif(leaks: readonly Leak[], version: string): unknown {
  return {
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: "sallyport scan",
            version,
            rules: [
              {
                id: RULE,
                name: "LeakedKey",
                shortDescription: { text: "A Sallyport key is in this file" },
                help: { text: "Suspend the key with `sallyport keys suspend ID`, and open an incident." },
                defaultConfiguration: { level: "error" },
                properties: { tags: ["security"], "security-severity": "9.0" },
              },
            ],
          },
        },
        results: leaks.map(resultOf),
      },
    ],
  };
}

function resultOf({ keyId, environment, kind, file, line, form }: Leak): unknown {
  return {
    ruleId: RULE,
    level: "error",
    message: { text: `${kind} key ${keyId} of environment ${environment} (${form})` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: file.split(/[\\/]/).map(encodeURIComponent).join("/") },
          region: { startLine: line },
        },
      },
    ],
    partialFingerprints: { "keyAndFile/v1": `${environment}:${keyId}:${file}` },
  };
}
