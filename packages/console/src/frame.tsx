/** Navigation, the person, and the way out. */
import { useEffect, useRef } from "react";
import type { ReactNode } from "react";
import { placeText } from "./address.ts";
import type { Page } from "./pages.tsx";
import { accessPages, otherPages, pages } from "./pages.tsx";
import { Palette } from "./palette.tsx";
import { Tabs } from "./parts/tabs.tsx";
import { leave, may } from "./session.ts";
import type { Presence } from "./session.ts";

interface FrameProps {
  readonly present: Presence;
  readonly page: Page;
  readonly onLeft: () => void;
  readonly children: ReactNode;
}

export function Frame({ present, page, onLeft, children }: FrameProps): ReactNode {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${page.title} · Sallyport`;
    heading.current?.focus();
  }, [page]);
  const isOpen = ({ needs }: Page): boolean => needs === null || may(present, needs);
  const shown = pages.filter(isOpen);
  const under = page.under ?? page.path;
  const out = (): void => void leave().finally(onLeft);
  return (
    <>
      <a className="skip" href="#content" onClick={(event) => skip(event, heading.current)}>
        Skip to the content
      </a>
      <header className="bar">
        <strong className="mark">Sallyport</strong>
        <nav aria-label="Pages">
          <ul>
            {shown.map(({ path, title }) => (
              <li key={path}>
                <a
                  href={placeText(path)}
                  aria-current={path === under ? (path === page.path ? "page" : "true") : undefined}
                >
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <span className="who">
          <Palette
            entries={[...accessPages, ...shown, ...otherPages.filter(isOpen)]
              .filter(isOpen)
              .filter(({ title }) => title !== "Access")}
          />
          <a href={placeText("session")}>{present.session.actor}</a>
          <button type="button" className="small" onClick={out}>
            Log out
          </button>
        </span>
      </header>
      <main id="content">
        <h1 ref={heading} tabIndex={-1}>
          {page.title}
        </h1>
        {under === "access" && <Tabs label="Access" path={page.path} tabs={accessPages.filter(isOpen)} />}
        {children}
      </main>
    </>
  );
}

/** The fragment of the address is the page's; the focus is moved instead. */
function skip(event: { preventDefault(): void }, to: HTMLElement | null): void {
  event.preventDefault();
  to?.focus();
}
