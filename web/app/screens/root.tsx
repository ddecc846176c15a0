/** Renders the current screen, the open dialog and the live region. */

import { useEffect, useRef } from "preact/hooks";
import type { App } from "../app";
import { isUnderWay } from "../journey/journey-view";
import { AppContext } from "../parts/app-context";
import { ControlBar } from "../parts/control-bar";
import { Header } from "../parts/header";
import { Later } from "../parts/later";
import { Card } from "./card";
import { End } from "./end";
import { HelpSheet } from "./help-sheet";
import { Home } from "./home";
import { JourneyScreen } from "./journey";

export function Root({ app }: { app: App }) {
  const { dialog, announcement, idle, route } = app.state;
  const screen = nameOf(app);
  const underWay = isUnderWay(app.view.phase);
  const main = useRef<HTMLElement>(null);
  const shown = useRef(screen);
  useEffect(() => {
    if (shown.current === screen) return;
    shown.current = screen;
    scrollTo(0, 0);
    // The next Tab reaches the first control of the new screen: Stop, while music is under way.
    main.current?.focus({ preventScroll: true });
  }, [screen]);
  return (
    <AppContext.Provider value={app}>
      {/* While music is under way, Stop comes before everything else in the tab order. */}
      {!underWay && <Header key="top" />}
      <main
        key="main"
        ref={main}
        tabIndex={-1}
        aria-label={app.t.page.main}
        data-idle={idle && !dialog}
      >
        <ControlBar />
        <div key={screen} class="arriving">
          {route.name === "home" && <Home />}
          {route.name === "card" && <Card presetKey={route.key} />}
          {route.name === "listen" && (screen === "end" ? <End /> : <JourneyScreen />)}
          {route.name === "runs" && <Later name="PastRuns" />}
          {route.name === "keep" && <Later name="Keep" />}
        </div>
      </main>
      {underWay && <Header key="top" />}
      {dialog === "help" && <HelpSheet key="help" />}
      {dialog === "more" && <Later key="more" name="MoreSheet" />}
      <p class="visually-hidden" role="status">
        {announcement}
      </p>
    </AppContext.Provider>
  );
}

/** Screens that differ enough for the focus to start anew. */
function nameOf(app: App): string {
  const { route } = app.state;
  if (route.name === "card") return `card ${route.key}`;
  if (route.name !== "listen") return route.name;
  const { phase } = app.view;
  if (phase === "stopped" || phase === "finished" || phase === "none") return "end";
  return ["form", "kept", "elsewhere", "error", "failed"].includes(phase) ? phase : "listen";
}
