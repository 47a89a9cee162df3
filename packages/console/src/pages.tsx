/** Every page: its place in the address, what it needs, and what shows it. */
import type { ComponentType } from "react";
import type { RouteName } from "@sallyport/contract";
import type { PageProps } from "./page-props.ts";
import { AssignmentsPage } from "./pages/assignments.tsx";
import { AuditPage } from "./pages/audit.tsx";
import { EnvironmentsPage } from "./pages/environments.tsx";
import { ExplainPage } from "./pages/explain.tsx";
import { FindingsPage } from "./pages/findings.tsx";
import { HealthPage } from "./pages/health.tsx";
import { IncidentPage } from "./pages/incident.tsx";
import { KeyPage } from "./pages/key.tsx";
import { KeysPage } from "./pages/keys.tsx";
import { LivePage } from "./pages/live.tsx";
import { NewKeyPage } from "./pages/new-key.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PeoplePage } from "./pages/people.tsx";
import { PolicyPage } from "./pages/policy.tsx";
import { RecordPage } from "./pages/record.tsx";
import { ReviewPage } from "./pages/review.tsx";
import { ReviewsPage } from "./pages/reviews.tsx";
import { RightsizingPage } from "./pages/rightsizing.tsx";
import { RolesPage } from "./pages/roles.tsx";
import { SecurityPage } from "./pages/security.tsx";
import { SessionPage } from "./pages/session.tsx";
import { UsagePage } from "./pages/usage.tsx";

export interface Page {
  readonly path: string;
  readonly title: string;
  /** The call without which there is nothing to see on it; null = a session is enough. */
  readonly needs: RouteName | null;
  readonly Show: ComponentType<PageProps>;
  /** The page of the navigation that it belongs to; absent = itself. */
  readonly under?: string;
}

/** The pages that `access` stands for, in order. */
export const accessPages: readonly Page[] = [
  { path: "access", title: "Environments", needs: "environments.list", Show: EnvironmentsPage, under: "access" },
  { path: "access/roles", title: "Roles", needs: "roles.list", Show: RolesPage, under: "access" },
  { path: "access/people", title: "People and services", needs: "principals.list", Show: PeoplePage, under: "access" },
  { path: "access/assignments", title: "Assignments", needs: "assignments.list", Show: AssignmentsPage, under: "access" },
  { path: "access/policy", title: "Policy", needs: "policy.text", Show: PolicyPage, under: "access" },
  { path: "access/rightsizing", title: "Right-sizing", needs: "rightsizing.list", Show: RightsizingPage, under: "access" },
  { path: "access/explain", title: "May it?", needs: "explain", Show: ExplainPage, under: "access" },
]; // prettier-ignore

export const pages: readonly Page[] = [
  { path: "", title: "Overview", needs: "status", Show: OverviewPage },
  { path: "keys", title: "Keys", needs: "keys.list", Show: KeysPage },
  { path: "live", title: "Live", needs: "activity", Show: LivePage },
  { path: "usage", title: "Usage", needs: "usage.list", Show: UsagePage },
  { path: "access", title: "Access", needs: "environments.list", Show: EnvironmentsPage },
  { path: "security", title: "Security", needs: "incidents.list", Show: SecurityPage },
  { path: "reviews", title: "Reviews", needs: "reviews.list", Show: ReviewsPage },
  { path: "findings", title: "Findings", needs: "findings", Show: FindingsPage },
  { path: "audit", title: "Audit", needs: "audit.search", Show: AuditPage },
  { path: "health", title: "Health", needs: "status", Show: HealthPage },
];

/** Pages that the navigation does not name. */
export const otherPages: readonly Page[] = [
  { path: "session", title: "Your sessions", needs: null, Show: SessionPage },
  { path: "keys/new", title: "New key", needs: "keys.create", Show: NewKeyPage, under: "keys" },
];

/** Pages of one thing, by what their paths begin with. */
const single: readonly Page[] = [
  { path: "reviews", title: "Access review", needs: "reviews.show", Show: ReviewPage },
  { path: "keys", title: "Key", needs: "keys.show", Show: KeyPage },
  { path: "audit", title: "Audit record", needs: "audit.search", Show: RecordPage },
  { path: "incidents", title: "Incident", needs: "incidents.radius", Show: IncidentPage, under: "security" },
];

export function pageOf(path: string): Page {
  const known = [...accessPages, ...pages, ...otherPages].find((page) => page.path === path);
  return known ?? single.find((page) => path.startsWith(`${page.path}/`)) ?? pages[0]!;
}
