/** Every page: its place in the address, what it needs, and what shows it. */
import type { ComponentType } from "react";
import type { RouteName } from "@sallyport/contract";
import type { PageProps } from "./page-props.ts";
import { AuditPage } from "./pages/audit.tsx";
import { FindingsPage } from "./pages/findings.tsx";
import { KeyPage } from "./pages/key.tsx";
import { KeysPage } from "./pages/keys.tsx";
import { LivePage } from "./pages/live.tsx";
import { NewKeyPage } from "./pages/new-key.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { ReviewPage } from "./pages/review.tsx";
import { ReviewsPage } from "./pages/reviews.tsx";
import { SecurityPage } from "./pages/security.tsx";
import { SessionPage } from "./pages/session.tsx";
import { UsagePage } from "./pages/usage.tsx";

export interface Page {
  readonly path: string;
  readonly title: string;
  /** The call without which there is nothing to see on it; null = a session is enough. */
  readonly needs: RouteName | null;
  readonly Show: ComponentType<PageProps>;
}

export const pages: readonly Page[] = [
  { path: "", title: "Overview", needs: "status", Show: OverviewPage },
  { path: "keys", title: "Keys", needs: "keys.list", Show: KeysPage },
  { path: "live", title: "Live", needs: "activity", Show: LivePage },
  { path: "usage", title: "Usage", needs: "usage.list", Show: UsagePage },
  { path: "security", title: "Security", needs: "incidents.list", Show: SecurityPage },
  { path: "reviews", title: "Reviews", needs: "reviews.list", Show: ReviewsPage },
  { path: "findings", title: "Findings", needs: "findings", Show: FindingsPage },
  { path: "audit", title: "Audit", needs: "audit.search", Show: AuditPage },
];

const others: readonly Page[] = [
  { path: "session", title: "Your sessions", needs: null, Show: SessionPage },
  { path: "keys/new", title: "New key", needs: "keys.create", Show: NewKeyPage },
];

const oneReview: Page = { path: "reviews", title: "Access review", needs: "reviews.show", Show: ReviewPage };
const oneKey: Page = { path: "keys", title: "Key", needs: "keys.show", Show: KeyPage };

export function pageOf(path: string): Page {
  const known = [...pages, ...others].find((page) => page.path === path);
  if (known) return known;
  if (path.startsWith("reviews/")) return oneReview;
  return path.startsWith("keys/") ? oneKey : pages[0]!;
}
