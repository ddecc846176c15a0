/** Wiring: one player, one light, one page. */

import { render } from "preact";
import { browserDecks, createPlayer, systemClock } from "../engine";
import type { Backend } from "../supabase/backend";
import { App } from "./app";
import { type Arrival, takeArrival } from "./arrival";
import { type PlayerConfig, readConfig, readPresets } from "./contracts";
import { FocusKeeper } from "./focus";
import { Idle } from "./idle";
import { lateBackend } from "./late-backend";
import { Light } from "./light";
import { Listening } from "./listening";
import { MediaKeys } from "./media-session";
import { browserMemory } from "./memory";
import { Network } from "./network";
import { keepForOffline } from "./offline";
import { chosenOutput } from "./output";
import { PageErrors, sendPageError } from "./page-errors";
import { Preferences } from "./preferences";
import { Resume } from "./resume";
import { Router, routeOf } from "./router";
import { Root } from "./screens/root";
import { TabLock } from "./tab-lock";

const LOAD_PAUSE_S = 2;
/** A bed that takes longer than this no longer keeps the rest of the page waiting. */
const BED_S_MAX = 5;

/** Without a config the service told the page nothing; help still works, and nothing is asked. */
const errors = new PageErrors({ clock: systemClock, send: sendPageError });
const mistaken = (error: unknown) => errors.note("work", error);

function openPage(
  config: PlayerConfig | null,
  arrival: Arrival,
): { app: App; loaded: Promise<unknown> } {
  const decks = browserDecks({
    bedUrl: config?.bedUrl ?? null,
    bedStartUrl: config?.bedStartUrl ?? null,
    output: chosenOutput(location.search),
  });
  // On a slow line one thing after another: what the first tap needs, then Supabase, then looks.
  const supabase = inTime(decks.bed.ready, BED_S_MAX).then(loadBackend);
  const backend = config
    ? supabase.then(({ openBackend }) =>
        openBackend(config, (trouble) => listening.troubled(trouble)),
      )
    : new Promise<Backend>(() => {});
  const preferences = new Preferences(browserMemory);
  const player = createPlayer({
    clock: systemClock,
    decks,
    ...lateBackend(backend),
    onError: (error) => errors.hear(error),
    settings: { ...config?.settings, volume: preferences.volume },
  });
  const listening: Listening = new Listening({
    player,
    backend,
    resume: new Resume(browserMemory),
    tab: new TabLock(() => listening.lost()),
    clock: systemClock,
    changed: () => app.changed(),
    mistaken,
  });
  const router = new Router((route) => app.arrive(route));
  const app: App = new App({
    player,
    backend,
    listening,
    router,
    preferences,
    clock: systemClock,
    mistaken,
    draw: () => {
      render(<Root app={app} />, element("app"));
      light.look();
    },
  });
  const light = new Light(element<HTMLCanvasElement>("lamp"), () => app.glow(), systemClock.now);
  const keys = new MediaKeys({
    player,
    resume: () => listening.resume(),
    stop: app.end,
    title: () => app.t.page.name,
    piece: (number, of) => app.t.playing.piece(number, of),
  });
  const network = new Network((online) => {
    player.setOnline(online);
    app.set({ online });
  });
  const idle = new Idle(systemClock, (idle) => idle !== app.state.idle && app.set({ idle }));
  const focus = new FocusKeeper();
  for (const owner of [app, listening, router, light, keys, network, idle, focus]) owner.start();
  void backend
    .then(async ({ session }) => {
      session.start((listener) => app.set({ listener }));
      const refused = arrival.tokens ? !(await session.adopt(arrival.tokens)) : arrival.refused;
      app.set({ linkOver: refused });
      await session.recognise();
    })
    .catch(mistaken);
  return { app, loaded: supabase.then(loadTypeface) };
}

/** Its file may be lost with the network; it is asked for until it is there. */
async function loadBackend(): Promise<typeof import("../supabase/backend")> {
  for (;;) {
    try {
      return await import("../supabase/backend");
    } catch {
      await new Promise((resolve) => systemClock.after(LOAD_PAUSE_S, () => resolve(null)));
    }
  }
}

/** Without it the page is set in a typeface of the device. */
async function loadTypeface(): Promise<void> {
  await import("../styles/typeface.css").catch(() => {});
  await document.fonts.load('1em "Literata Variable"').catch(() => {});
}

/** The same promise; after so many seconds, without its answer. */
function inTime(promise: Promise<unknown>, seconds: number): Promise<unknown> {
  return Promise.race([
    promise,
    new Promise((resolve) => systemClock.after(seconds, () => resolve(null))),
  ]);
}

async function fetchJson(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

async function open(): Promise<void> {
  const arrival = takeArrival();
  const presets = fetchJson("presets.json")
    .then(readPresets)
    .then(
      (known) => ({ presets: known }),
      () => ({ presetsMissing: true }),
    );
  const config = await fetchJson("config.json").then(readConfig, () => null);
  const { app, loaded } = openPage(config, arrival);
  if (!config) app.set({ stranded: true });
  const kept = app.view.stage === "kept";
  if (kept) app.go({ name: "listen" });
  else app.arrive(routeOf(location.hash));
  app.set(await presets);
  await loaded;
  keepForOffline();
}

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as T;
}

errors.start();
void open();
