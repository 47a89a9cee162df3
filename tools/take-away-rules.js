// What `tools/take-away.js` takes away: the rule, the code, and the test that must fail without it. Where a test file is
// slow, `named` is part of the name of the one test that must fail: then only this one runs without the rule.
import { anomalyRules } from "./take-away-anomaly.js";
import { atRestRules } from "./take-away-at-rest.js";
import { auditRules } from "./take-away-audit.js";
import { boundRules } from "./take-away-bound.js";
import { doorRules } from "./take-away-doors.js";
import { factorRules } from "./take-away-factors.js";
import { credentialRules } from "./take-away-credentials.js";
import { identityRules } from "./take-away-identity.js";
import { importRules } from "./take-away-import.js";
import { incidentRules } from "./take-away-incident.js";
import { keyLifeRules } from "./take-away-key-life.js";
import { ownKeyRules } from "./take-away-own-keys.js";
import { leakRules } from "./take-away-leaks.js";
import { ledgerRules } from "./take-away-ledger.js";
import { loginRules } from "./take-away-login.js";
import { rightsRules } from "./take-away-rights.js";
import { sentryRules } from "./take-away-sentry.js";
import { clusterRules } from "./take-away-cluster.js";
import { feedRules } from "./take-away-feed.js";
import { standingRules } from "./take-away-standing.js";
import { tokenRules } from "./take-away-tokens.js";
import { operationRules } from "./take-away-operation.js";
import { faultRules } from "./take-away-faults.js";
import { hostileRules } from "./take-away-hostile.js";
import { limitRules } from "./take-away-limits.js";
import { consoleRules } from "./take-away-console.js";
import { shareRules } from "./take-away-shares.js";
import { upstreamKindRules } from "./take-away-upstream-kinds.js";
import { upstreamRules } from "./take-away-upstream.js";
import { commandLineRules } from "./take-away-command-line.js";
import { requestRules } from "./take-away-requests.js";
import { turnRules } from "./take-away-turns.js";
import { postureRules } from "./take-away-posture.js";
import { rightsizingRules } from "./take-away-rightsizing.js";
import { reviewRules } from "./take-away-reviews.js";
import { usageRules } from "./take-away-usage.js";

export const rules = [
  ...requestRules,
  ...anomalyRules,
  ...faultRules,
  ...hostileRules,
  ...operationRules,
  ...upstreamKindRules,
  ...upstreamRules,
  ...limitRules,
  ...shareRules,
  ...consoleRules,
  ...commandLineRules,
  ...importRules,
  ...auditRules,
  ...atRestRules,
  ...keyLifeRules,
  ...ownKeyRules,
  ...factorRules,
  ...doorRules,
  ...standingRules,
  ...tokenRules,
  ...ledgerRules,
  ...boundRules,
  ...sentryRules,
  ...incidentRules,
  ...loginRules,
  ...credentialRules,
  ...identityRules,
  ...rightsRules,
  ...turnRules,
  ...clusterRules,
  ...feedRules,
  ...usageRules,
  ...leakRules,
  ...postureRules,
  ...rightsizingRules,
  ...reviewRules,
];
