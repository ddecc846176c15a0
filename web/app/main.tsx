/** Creates the player, the animation and the page, and connects them. */

import { render } from "preact";
import { browserDecks, createPlayer, systemClock } from "../engine";
import type { Backend } from "../supabase/backend";
import { type AuthRedirect, takeAuthRedirect } from "./account/auth-redirect";
import { AmbientLight } from "./ambient/ambient-light";
import { App } from "./app";
import { FocusKeeper } from "./browser/focus";
import { Idle } from "./browser/idle";
import { localStore } from "./browser/local-store";
import { chosenOutput } from "./browser/output";
import { Preferences } from "./browser/preferences";
import { Router, routeOf } from "./browser/router";
import { TabLock } from "./browser/tab-lock";
import { type PlayerConfig, readConfig, readPresets } from "./contracts";
import { JourneyController } from "./journey/journey-controller";
import { isWaiting } from "./journey/journey-view";
import { SavedJourneyStore } from "./journey/saved-journey";
import { Connectivity } from "./network/connectivity";
import { deferredPorts } from "./network/deferred-ports";
import { cacheForOffline } from "./network/offline";
import { PageErrors, sendPageError } from "./network/page-errors";
import { Root } from "./screens/root";

const LOAD_PAUSE_S = 2;
/** A bed that takes longer than this no longer keeps the rest of the page waiting. */
const BED_S_MAX = 5;

/** Without a config only help works, and nothing is requested. */
const errors = new PageErrors({ clock: systemClock, send: sendPageError });
const onInternalError = (error: unknown) => errors.note("work", error);

function openPage(
  config: PlayerConfig | null,
  redirect: AuthRedirect,
): { app: App; loaded: Promise<unknown> } {
  const decks = browserDecks({
    bedUrl: config?.bedUrl ?? null,
    bedStartUrl: config?.bedStartUrl ?? null,
    output: chosenOutput(location.search),
  });
  // On a slow line one thing after another: what the first tap needs, then Supabase, then looks.
  const supabase = inTime(decks.bed.ready, BED_S_MAX).then(() =>
    untilLoaded(() => import("../supabase/backend")),
  );
  const screens = supabase.then(() => untilLoaded(() => import("./screens/later")));
  const backend = config
    ? supabase.then(({ openBackend }) =>
        openBackend(config, (error) => journey.runUnreadable(error)),
      )
    : new Promise<Backend>(() => {});
  const preferences = new Preferences(localStore);
  const { feed, sign, reserve } = deferredPorts(backend);
  // Without its chunk there is the network's reserve alone.
  const keptMusic = supabase
    .then(() => import("./network/kept-music"))
    .then(({ openKeptMusic }) =>
      openKeptMusic({
        find: reserve,
        clock: systemClock,
        allowed: () => preferences.keepsMusic,
        busy: () => app.state.listener === null || isWaiting(app.view.phase),
      }),
    )
    .catch(() => null);
  const player = createPlayer({
    clock: systemClock,
    decks,
    feed,
    sign,
    onError: (error) => errors.notePlayerError(error),
    settings: { ...config?.settings, volume: preferences.volume },
  });
  const journey: JourneyController = new JourneyController({
    player,
    backend,
    reserve: async (presetKey) => ((await keptMusic)?.find ?? reserve)(presetKey),
    resume: new SavedJourneyStore(localStore),
    store: localStore,
    tab: new TabLock(() => journey.lost()),
    clock: systemClock,
    changed: () => app.changed(),
    onInternalError,
  });
  const router = new Router((route) => app.routeChanged(route));
  const app: App = new App({
    player,
    backend,
    journey,
    router,
    preferences,
    clock: systemClock,
    onInternalError,
    eraseMusic: () => void keptMusic.then((music) => music?.clear()),
    draw: () => {
      render(<Root app={app} />, element("app"));
      light.look();
    },
  });
  const light = new AmbientLight(
    element<HTMLCanvasElement>("ambient-light"),
    () => app.ambientState(),
    systemClock.now,
  );
  const network = new Connectivity((online) => {
    player.setOnline(online);
    app.set({ online });
  });
  const idle = new Idle(systemClock, (idle) => idle !== app.state.idle && app.set({ idle }));
  const focus = new FocusKeeper();
  for (const owner of [app, journey, router, light, network, idle, focus]) owner.start();
  void screens.then((later) => app.set({ later }));
  // There is no music before Supabase is there, and nothing for the keys to do.
  void supabase
    .then(() => untilLoaded(() => import("./browser/media-session")))
    .then(({ MediaKeys }) =>
      new MediaKeys({
        player,
        resume: () => journey.resume(),
        stop: app.end,
        title: () => app.t.page.name,
        piece: (number, of) => app.t.playing.piece(number, of),
      }).start(),
    );
  void backend
    .then(async ({ session }) => {
      session.start((listener) => app.set({ listener }));
      const refused = redirect.tokens ? !(await session.adopt(redirect.tokens)) : redirect.refused;
      app.set({ linkExpired: refused });
      await session.recognise();
    })
    .catch(onInternalError);
  return { app, loaded: Promise.all([screens, keptMusic]).then(loadTypeface) };
}

/** A chunk may fail to load offline; it is requested until it arrives. */
async function untilLoaded<T>(load: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await load();
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
  const redirect = takeAuthRedirect();
  const presets = fetchJson("presets.json")
    .then(readPresets)
    .then(
      (known) => ({ presets: known }),
      () => ({ presetsMissing: true }),
    );
  const config = await fetchJson("config.json").then(readConfig, () => null);
  const { app, loaded } = openPage(config, redirect);
  if (!config) app.set({ configMissing: true });
  const kept = app.view.phase === "kept";
  if (kept) app.go({ name: "listen" });
  else app.routeChanged(routeOf(location.hash));
  app.set(await presets);
  await loaded;
  cacheForOffline();
}

function element<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`index.html has no #${id}`);
  return found as T;
}

errors.start();
void open();
