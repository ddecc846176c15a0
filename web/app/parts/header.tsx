/** The top of every screen: help on the right, always; the rest where it is wanted. */

import { useEffect, useState } from "preact/hooks";
import { HOME, hashOf } from "../browser/router";
import { useApp } from "./app-context";

export function Header() {
  const app = useApp();
  const { name } = app.state.route;
  const home = name === "home";
  return (
    <header class="top" data-scrolled={useScrolled()}>
      {home && (
        <a class="button bare" href="#runs">
          {app.t.home.runs}
        </a>
      )}
      {home && <LanguageButton />}
      {!home && name !== "listen" && (
        <a class="button bare" href={hashOf(HOME)}>
          {app.t.card.back}
        </a>
      )}
      <HelpButton />
    </header>
  );
}

/** Something lies above the upper edge of the screen. */
function useScrolled(): boolean {
  const [scrolled, setScrolled] = useState(scrollY > 0);
  useEffect(() => {
    const look = () => setScrolled(scrollY > 0);
    addEventListener("scroll", look, { passive: true });
    return () => removeEventListener("scroll", look);
  }, []);
  return scrolled;
}

export function HelpButton() {
  const app = useApp();
  return (
    <button
      type="button"
      class="button help-button"
      aria-haspopup="dialog"
      onClick={() => app.open("help")}
    >
      {app.t.help.open}
    </button>
  );
}

export function LanguageButton() {
  const app = useApp();
  const other = app.state.language === "fr" ? "en" : "fr";
  return (
    <button type="button" class="button bare" lang={other} onClick={() => app.switchLanguage()}>
      {app.t.page.otherLanguage}
    </button>
  );
}
