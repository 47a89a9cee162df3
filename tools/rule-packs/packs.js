// The rules by which other scanners find our keys, from one source: the published pattern. Each entry is a file of
// `deploy/rules/`. None of these tools can compute the checksum, except where a pack is code.
import { formatKeyText, KEY_PATTERN } from "../../packages/protocol/dist/index.js";

/** RE2, Rust and Python read it alike. */
const pattern = KEY_PATTERN.source;
const keywords = ["sp_", "spa_", "spt_", "spe_", "spp_"];
const description = "Sallyport key";
const remedy = "Run `sallyport keys suspend ID` on the gateway host, then `sallyport incident open --key-id ID`.";
const made = "Written by tools/make-rule-packs.js. Do not edit.";
/** A key of no gateway, whose checksum fits. */
const example = formatKeyText("sp", "dev", "RulePackTest", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefg");

const gitleaks = `# ${made}
# For gitleaks, Betterleaks and Kingfisher (--rules-path). Pass --max-decode-depth 2 and --max-archive-depth 2 to gitleaks.
# The pattern has no word boundary: a key is also found inside other letters.
title = "${description}"

[[rules]]
id = "sallyport-key"
description = "${description}. ${remedy.replaceAll("`", "'")}"
regex = '''(${pattern})'''
secretGroup = 1
keywords = [${keywords.map((word) => `"${word}"`).join(", ")}]
tags = ["sallyport", "key"]
`;

// Kingfisher can call an HTTP endpoint to revoke what it found. Our admin API suspends a key by its id, with an admin key,
// and never accepts the secret that leaked, so the rule has neither validation nor revocation.
const kingfisher = `# ${made}
rules:
  - name: ${description}
    id: sallyport.key.1
    pattern: '(${pattern})'
    min_entropy: 3.0
    confidence: high
    examples:
      - ${example}
`;

const truffleHog = `# ${made}
detectors:
  - name: sallyport
    keywords:
${keywords.map((word) => `      - ${word}`).join("\n")}
    regex:
      key: "(${pattern})"
`;

const gitGuardian = `# ${made}
name: sallyport_key
description: ${description}
category: api_key
provider: sallyport
analyzers:
  - type: regex
    pattern: "(${pattern})"
prevalidators:
  - type: ContentWhitelistPreValidator
    patterns:
${keywords.map((word) => `      - ${word}`).join("\n")}
`;

const semgrep = `# ${made}
rules:
  - id: sallyport-key
    message: ${description}. ${remedy}
    severity: ERROR
    languages: [generic]
    pattern-regex: ${pattern}
    metadata:
      category: security
      cwe: "CWE-798: Use of Hard-coded Credentials"
      confidence: HIGH
`;

const detectSecrets = `"""${description} for detect-secrets: \`detect-secrets scan --plugin sallyport_key.py\`. ${made}"""
import re
import zlib

from detect_secrets.plugins.base import RegexBasedDetector

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def has_checksum(key: str) -> bool:
    """The last six characters are the CRC-32 of all before them, in base62."""
    value = zlib.crc32(key[:-6].encode())
    for character in reversed(key[-6:]):
        if character != BASE62[value % 62]:
            return False
        value //= 62
    return True


class SallyportKeyDetector(RegexBasedDetector):
    """A key is one only if its checksum fits."""

    secret_type = "Sallyport key"
    denylist = [re.compile(r"${pattern}")]

    def analyze_string(self, string: str):
        return (found for found in super().analyze_string(string) if has_checksum(found))
`;

/** The files by name. */
export const rulePacks = {
  "gitleaks.toml": gitleaks,
  "kingfisher.yaml": kingfisher,
  "trufflehog.yaml": truffleHog,
  "gitguardian.yaml": gitGuardian,
  "semgrep.yaml": semgrep,
  "sallyport_key.py": detectSecrets,
};
