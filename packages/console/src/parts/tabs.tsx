/** Links to the pages that belong together. */
import type { ReactNode } from "react";
import { placeText } from "../address.ts";

interface TabsProps {
  readonly label: string;
  readonly path: string;
  readonly tabs: readonly { readonly path: string; readonly title: string }[];
}

export function Tabs({ label, path, tabs }: TabsProps): ReactNode {
  if (tabs.length < 2) return null;
  return (
    <nav className="tabs" aria-label={label}>
      <ul>
        {tabs.map((tab) => (
          <li key={tab.path}>
            <a href={placeText(tab.path)} aria-current={tab.path === path ? "page" : undefined}>
              {tab.title}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
