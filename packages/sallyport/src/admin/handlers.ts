/** Every route's handler. A route of the contract without one does not compile, nor does one the contract does not name. */
import type { RouteName } from "@sallyport/contract";
import type { Handlers } from "./call.ts";
import { accessHandlers } from "./routes/access.ts";
import { adminKeyHandlers } from "./routes/admin-keys.ts";
import { assignmentHandlers } from "./routes/assignments.ts";
import { auditHandlers } from "./routes/audit.ts";
import { anomalyHandlers } from "./routes/anomalies.ts";
import { consoleHandlers } from "./routes/console.ts";
import { findingHandlers } from "./routes/findings.ts";
import { activityHandlers } from "./routes/activity.ts";
import { gatewayHandlers } from "./routes/gateway.ts";
import { incidentHandlers } from "./routes/incidents.ts";
import { keyFactorHandlers } from "./routes/key-factors.ts";
import { keySignerHandlers } from "./routes/key-signers.ts";
import { keyWorkloadHandlers } from "./routes/key-workloads.ts";
import { keyHandlers } from "./routes/keys.ts";
import { leakHandlers } from "./routes/leaks.ts";
import { localPeopleHandlers } from "./routes/local-people.ts";
import { policyHandlers } from "./routes/policy.ts";
import { principalHandlers } from "./routes/principals.ts";
import { rightsizingHandlers } from "./routes/rightsizing.ts";
import { upstreamHandlers } from "./routes/upstreams.ts";
import { reviewHandlers } from "./routes/reviews.ts";
import { restoreHandlers } from "./routes/restore.ts";
import { usageHandlers } from "./routes/usage.ts";

export const handlers: Handlers<RouteName> = {
  ...gatewayHandlers,
  ...activityHandlers,
  ...auditHandlers,
  ...anomalyHandlers,
  ...consoleHandlers,
  ...findingHandlers,
  ...accessHandlers,
  ...keyHandlers,
  ...keyFactorHandlers,
  ...incidentHandlers,
  ...leakHandlers,
  ...keySignerHandlers,
  ...keyWorkloadHandlers,
  ...adminKeyHandlers,
  ...principalHandlers,
  ...localPeopleHandlers,
  ...assignmentHandlers,
  ...policyHandlers,
  ...restoreHandlers,
  ...rightsizingHandlers,
  ...usageHandlers,
  ...reviewHandlers,
  ...upstreamHandlers,
};
