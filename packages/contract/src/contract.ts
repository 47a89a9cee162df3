/** The admin contract: every route there is, by name. What is not a row here is not served. */
import type { z } from "zod";
import { anomalyRows } from "./anomaly-rows.ts";
import { consoleRows } from "./console-rows.ts";
import { activityRows } from "./activity-rows.ts";
import { accessRows } from "./access-rows.ts";
import { findingRows } from "./finding-rows.ts";
import { gatewayRows } from "./gateway-rows.ts";
import { incidentRows } from "./incident-rows.ts";
import { keyFactorRows } from "./key-factor-rows.ts";
import { keyRows } from "./key-rows.ts";
import { leakRows } from "./leak-rows.ts";
import { policyRows } from "./policy-rows.ts";
import { principalRows } from "./principal-rows.ts";
import { restoreRows } from "./restore-rows.ts";
import { rightsizingRows } from "./rightsizing-rows.ts";
import { reviewRows } from "./review-rows.ts";
import { upstreamRows } from "./upstream-rows.ts";
import type { ContractRow } from "./row.ts";
import { usageRows } from "./usage-rows.ts";

export const contract = {
  ...anomalyRows,
  ...gatewayRows,
  ...findingRows,
  ...accessRows,
  ...activityRows,
  ...consoleRows,
  ...keyRows,
  ...keyFactorRows,
  ...incidentRows,
  ...leakRows,
  ...principalRows,
  ...policyRows,
  ...restoreRows,
  ...rightsizingRows,
  ...usageRows,
  ...reviewRows,
  ...upstreamRows,
} as const satisfies Record<string, ContractRow>;

export type Contract = typeof contract;
export type RouteName = keyof Contract;

/** As the server's handler gets them, defaults filled in. */
export type Params<N extends RouteName> = z.output<Contract[N]["params"]>;
export type Query<N extends RouteName> = z.output<Contract[N]["query"]>;
export type Body<N extends RouteName> = Contract[N]["body"] extends z.ZodObject
  ? z.output<Contract[N]["body"]>
  : undefined;
export type Answer<N extends RouteName> = z.output<Contract[N]["answer"]>;

/** As a caller writes them, without defaults. */
export type QueryInput<N extends RouteName> = z.input<Contract[N]["query"]>;
export type BodyInput<N extends RouteName> = Contract[N]["body"] extends z.ZodObject
  ? z.input<Contract[N]["body"]>
  : undefined;

/** Body of an error answer (RFC 9457), `application/problem+json`. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: string;
  readonly mistakes: readonly string[];
  readonly remedy: string;
}
