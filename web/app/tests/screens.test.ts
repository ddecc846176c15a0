// @vitest-environment happy-dom
import { h, render } from "preact";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { App } from "../app";
import { FocusKeeper } from "../browser/focus";
import { IDLE_S, Idle } from "../browser/idle";
import { Preferences } from "../browser/preferences";
import { HOME, type Route, type Router } from "../browser/router";
import type { Preset } from "../contracts";
import * as later from "../screens/later";
import { Root } from "../screens/root";
import { MemoryStore } from "./memory-store";
import { PageHarness } from "./page-harness";

const ANGER: Preset = {
  key: "06-colere-irritabilite",
  slug: "colere-irritabilite",
  group: "overflow",
  groupName: { fr: "Quand tout déborde", en: "When it is all too much" },
  title: { fr: "Colère, irritabilité", en: "Anger, irritability" },
  from: { fr: "la colère", en: "anger" },
  to: { fr: "une parole ferme et calme", en: "firm, calm words" },
  minutes: { min: 20, max: 22 },
  text: { fr: "La colère dit souvent quelque chose de juste.", en: "Anger often tells the truth." },
  firstTitle: { fr: "Se poser", en: "Settling" },
  contraindications: [{ fr: "Pas au volant.", en: "Not while driving." }],
  emotion: "anger",
};
const CALM: Preset = { ...ANGER, key: "00-universel-reset", emotion: "neutral" };

const FOCUSABLE = "a[href],button:not(:disabled),input,select,[tabindex='0']";

let page: PageHarness;
let app: App;
let idle: Idle;
let focus: FocusKeeper;
/** How often the kept music was erased. */
let erased = 0;

beforeEach(() => {
  document.body.innerHTML = '<div id="app"></div>';
  HTMLDialogElement.prototype.showModal = function showModal() {
    this.open = true;
  };
  vi.stubGlobal("scrollTo", () => {});
  vi.stubGlobal("matchMedia", () => new EventTarget());
  const store = new MemoryStore();
  store.write("language", "fr");
  store.write("country", "FR");
  page = new PageHarness(store);
  app = new App({
    player: page.player,
    backend: new Promise(() => {}),
    journey: page.journey,
    router: { go: (route: Route) => app.routeChanged(route) } as unknown as Router,
    preferences: new Preferences(store),
    clock: page.clock,
    onInternalError: (error) => page.mistakes.push(error),
    eraseMusic: () => {
      erased += 1;
    },
    draw: () => render(h(Root, { app }), document.getElementById("app") as HTMLElement),
  });
  erased = 0;
  page.changed = app.changed;
  idle = new Idle(page.clock, (still) => app.set({ idle: still }));
  focus = new FocusKeeper();
  for (const owner of [app, page.journey, idle, focus]) owner.start();
  app.set({ presets: [CALM, ANGER], later });
});

afterEach(() => {
  render(null, document.getElementById("app") as HTMLElement);
  for (const owner of [app, page.journey, idle, focus]) owner.stop();
  vi.unstubAllGlobals();
});

async function go(route: Route): Promise<void> {
  app.routeChanged(route);
  await settle();
}

/** Everything that was promised has been drawn. */
async function settle(): Promise<void> {
  await page.pass(0);
  await new Promise((resolve) => setTimeout(resolve));
  await page.pass(0);
}

const text = () => (document.body.textContent ?? "").replaceAll(/\s+/g, " ");
const button = (name: string) => {
  const inside = document.querySelector("dialog") ?? document;
  const found = [...inside.querySelectorAll<HTMLElement>("button,a")].filter(
    (one) => one.textContent?.trim() === name,
  );
  if (!found[0]) throw new Error(`no button ${name} in: ${text()}`);
  return found[0];
};
const firstInTabOrder = (root: ParentNode = document) =>
  root.querySelector(FOCUSABLE)?.textContent?.trim();
const pressEscape = () =>
  dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", cancelable: true }));

/** As the keyboard does it: the button has the focus when it is pressed. */
async function pressFocused(name: string): Promise<void> {
  button(name).focus();
  await press(name);
}

async function press(name: string): Promise<void> {
  button(name).click();
  await settle();
}

async function play(): Promise<void> {
  await go(HOME);
  await press("Commencer");
  await page.pass(1);
  page.tell("complete", "complete", "complete", "complete");
  await page.pass(130);
  await settle();
}

describe("home", () => {
  test("begins with the one card that needs no reading, and the red flags", async () => {
    await go(HOME);
    expect(document.querySelector("h1")?.textContent).toBe("J'ai besoin de calme maintenant");
    expect(text()).toContain("ou première crise de ce genre ? Appelez le 15 ou le 112.");
    expect(
      [...document.querySelectorAll(".red-flags a")].map((a) => a.getAttribute("href")),
    ).toEqual(["tel:15", "tel:112"]);
  });

  test("lists the others under the name of their feeling, from -> to", async () => {
    await go(HOME);
    const card = document.querySelector(".card-link");
    expect(card?.getAttribute("href")).toBe("#card/06-colere-irritabilite");
    expect(card?.textContent).toBe(
      "Colère, irritabilité De la colère vers une parole ferme et calmela colèreune parole ferme et calme",
    );
    expect(document.querySelectorAll(".card-link")).toHaveLength(1);
  });

  test("says kindly when the list did not arrive, and still starts", async () => {
    app.set({ presets: null, presetsMissing: true });
    await go(HOME);
    expect(text()).toContain(app.t.home.noPresets);
    expect(button("Commencer")).toBeTruthy();
  });

  test("without the service offers help and another try, no false start", async () => {
    app.set({ configMissing: true });
    await go(HOME);
    expect(text()).toContain(app.t.errors.startPage);
    expect(() => button("Commencer")).toThrow();
    expect(button("Aide")).toBeTruthy();
  });

  test("speaks the other language at a tap, and says so to screen readers", async () => {
    await go(HOME);
    expect(button("English").lang).toBe("en");
    await press("English");
    expect(document.querySelector("h1")?.textContent).toBe("I need calm now");
    expect(document.documentElement.lang).toBe("en");
  });
});

describe("a card", () => {
  test("shows the curated text, the minutes and what to know, before the tap", async () => {
    await go({ name: "card", key: ANGER.key });
    for (const words of [ANGER.text.fr, "20 à 22 min", "Pas au volant."]) {
      expect(text()).toContain(words);
    }
  });

  test("starts with the feeling and, if said, how strong it is", async () => {
    await go({ name: "card", key: ANGER.key });
    const very = [...document.querySelectorAll<HTMLInputElement>(".choice input")].at(-1);
    very?.click();
    await press("Commencer");
    await page.pass(1);
    expect(page.requests[0]).toMatchObject({ presetKey: ANGER.key, emotionState: "anger-0.8" });
  });
});

describe("while waiting", () => {
  beforeEach(async () => {
    await go(HOME);
    await press("Commencer");
    await page.pass(1);
    await settle();
  });

  test("the large words are for the person, and nothing is asked", () => {
    expect(document.querySelector("h1")?.textContent).toBe(app.t.waiting.grounding);
    expect(document.querySelector("fieldset")).toBeNull();
    expect(document.querySelector("progress,[role=progressbar]")).toBeNull();
    expect(text()).not.toMatch(/%/);
  });

  test("the words written for this run appear by themselves, in the page's language", async () => {
    const words = () => {
      const brief = document.querySelector(".brief");
      return [brief?.textContent, brief?.getAttribute("lang")];
    };
    expect(words()).toEqual(["Posez-vous.", "fr"]);
    app.switchLanguage();
    await settle();
    expect(words()).toEqual(["Settle down.", "en"]);
  });

  test("until they are there, the preset's own words are read", async () => {
    page.holdCreate();
    await press("Stop");
    await go(HOME);
    await press("Commencer");
    expect(document.querySelector(".brief")?.textContent).toBe(CALM.text.fr);
    expect(document.querySelector(".first-title")?.textContent).toContain("Se poser");
  });

  test("a note is offered, and skippable", async () => {
    await press("Dire comment je me sens");
    expect(document.querySelectorAll(".step input")).toHaveLength(11);
    await press("Passer");
    expect(document.querySelector(".step input")).toBeNull();
  });

  test("one small line says how far the music is, with an honest time", async () => {
    const line = () => document.querySelector(".state")?.textContent;
    expect(line()).toBe(`${app.t.waiting.composing} ${app.t.waiting.usual}`);
    await page.pass(60);
    await settle();
    expect(line()).toBe(app.t.waiting.long);
    expect(document.querySelector("h1")?.textContent).toBe(app.t.waiting.grounding);
  });

  test("composing that waits says when it goes on by itself", async () => {
    page.retryAt = new Date().setHours(23, 55, 0, 0);
    page.tell("queued", "queued", "queued");
    await settle();
    expect(document.querySelector(".state")?.textContent).toMatch(
      /Elle reprendra d'elle-même aujourd'hui, vers 23.h.55\./,
    );
  });

  test("the line of the background sound says whether it is heard yet", async () => {
    page.decks.bed.loading = true;
    await go(HOME);
    await press("Commencer");
    await page.pass(2);
    const line = () => document.querySelector(".bed span")?.textContent;
    expect(line()).toBe(app.t.waiting.bedLoading);
    page.decks.bed.loading = false;
    await page.pass(2);
    await settle();
    expect(line()).toBe(app.t.waiting.bed);
  });

  test("nothing is said of a background sound that there is not", async () => {
    page.decks.bed.missing = true;
    await go(HOME);
    await press("Commencer");
    await page.pass(2);
    expect([text().includes(app.t.waiting.composing), document.querySelector(".bed")]).toEqual([
      true,
      null,
    ]);
  });

  test("a breath may be followed instead, and the next waiting begins with it", async () => {
    const title = () => document.querySelector("h1")?.textContent;
    await press("Respirer");
    expect(title()).toMatch(/Inspirez|Soufflez/);
    expect(app.ambientState().guide).toBe(true);
    await press("Stop");
    await press("Revenir au début");
    await press("Commencer");
    await page.pass(1);
    await settle();
    expect(title()).toMatch(/Inspirez|Soufflez/);
    await press("Regarder autour de moi");
    expect(title()).toBe(app.t.waiting.grounding);
    expect(app.ambientState().guide).toBe(false);
  });

  test("a breath goes on under the music until it is let go of", async () => {
    await press("Respirer");
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    await settle();
    expect(text()).toMatch(/Inspirez|Soufflez/);
    await press("Ne plus suivre la lumière");
    expect(text()).not.toMatch(/Inspirez|Soufflez/);
    expect(app.parts.preferences.breathing).toBe(true);
  });

  test("the bed has its own switch", async () => {
    expect(text()).toContain("En attendant votre musique");
    await press("Couper le fond sonore");
    expect(page.player.snapshot().bed.on).toBe(false);
    await press("Remettre le fond sonore");
    expect(page.player.snapshot().bed.on).toBe(true);
  });

  test("Stop is the first thing the keyboard reaches, also in help", async () => {
    expect(firstInTabOrder()).toBe("Stop");
    await press("Aide");
    expect(firstInTabOrder(document.querySelector("dialog") ?? document)).toBe("Stop");
  });

  test("the focus stays where it was used when an offer goes, and Tab goes on from there", async () => {
    const offers = () => document.querySelector(".offers");
    await pressFocused("Dire comment je me sens");
    expect(document.activeElement).toBe(offers());
    await pressFocused("Passer");
    expect(document.activeElement).toBe(offers());
    button("Respirer").focus();
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    await settle();
    expect(page.phase).toBe("playing");
    expect(offers()).toBeNull();
    expect(document.activeElement).toBe(document.querySelector("main"));
  });

  test("what is open stays open when the music begins", async () => {
    await press("Dire comment je me sens");
    page.tell("first", "queued", "queued", "queued");
    await page.pass(6);
    await settle();
    expect(page.phase).toBe("playing");
    expect(document.querySelectorAll(".step input")).toHaveLength(11);
  });

  test("the words can still be read for the first minute of music, then are behind « Plus »", async () => {
    page.tell("first", "queued", "queued", "queued");
    await page.pass(30);
    await settle();
    expect(document.querySelector(".brief")).not.toBeNull();
    await page.pass(45);
    await settle();
    expect(document.querySelector(".brief")).toBeNull();
    await press("Plus");
    expect(document.querySelector("dialog .brief")).not.toBeNull();
  });
});

describe("under the reserve", () => {
  const title = () => document.querySelector("h1")?.textContent;
  const under = async () => {
    page.stock(2);
    await go(HOME);
    await press("Commencer");
    await page.pass(3);
    await settle();
  };

  test("the words say whose music it is, and one tap goes to one's own", async () => {
    await under();
    expect(title()).toBe("En attendant la vôtre");
    expect(text()).toContain(app.t.waiting.composing);
    expect(() => button("Écouter la vôtre")).toThrow();
    page.tell("first", "queued", "queued", "queued");
    await page.pass(1);
    await settle();
    await press("Écouter la vôtre");
    await page.pass(5);
    await settle();
    expect(title()).toBe("Morceau 1 sur 4");
    expect(page.decks.audible.map(({ url }) => url)).toEqual(["https://suno.example/s0"]);
  });

  test("without a network, a piece that this browser keeps says so", async () => {
    page.media.put("blob:kept", { durationSeconds: 180 });
    const kept = { id: "k", url: "blob:kept", seconds: 180, loudnessLufs: -18 };
    page.findReserve = async () => [kept];
    page.player.setOnline(false);
    await go(HOME);
    await press("Commencer");
    await page.pass(3);
    await settle();
    expect(text()).toContain(app.t.reserve.kept);
  });

  test("how one feels can still be said, as while waiting", async () => {
    await under();
    await press("Dire comment je me sens");
    expect(text()).toContain(app.t.suds.start);
  });

  test("a run that failed shows no error while it sounds", async () => {
    await under();
    page.tell("failed", "failed", "failed", "failed");
    await page.pass(2);
    await settle();
    expect(title()).toBe("Une musique déjà composée vous accompagne");
    expect(text()).not.toContain(app.t.errors.failedRun);
    expect(text()).not.toContain(app.t.waiting.composing);
    expect(app.state.announcement).toBe(title());
    app.switchLanguage();
    await settle();
    expect(title()).toBe("Music composed earlier is with you");
  });
});

describe("while playing", () => {
  beforeEach(play);

  test("there is one line of words, small minutes, and Stop first", () => {
    expect(document.querySelector("h1")?.textContent).toBe("Morceau 1 sur 4");
    expect(text()).toContain("2 min sur 20");
    expect(firstInTabOrder()).toBe("Stop");
  });

  test("Escape means Stop", async () => {
    pressEscape();
    await settle();
    expect(page.phase).toBe("stopped");
    expect(text()).toContain(
      "La musique est arrêtée. Prenez votre temps : ouvrez les yeux, sentez vos pieds au sol.",
    );
  });

  test("Escape closes an open dialog first, and the music goes on", async () => {
    await press("Plus");
    pressEscape();
    await settle();
    expect(page.phase).toBe("playing");
    document.querySelector("dialog")?.dispatchEvent(new Event("close"));
    await settle();
    pressEscape();
    await settle();
    expect(page.phase).toBe("stopped");
  });

  test("help does not stop the music, and Stop is in it", async () => {
    await press("Aide");
    expect(text()).toContain("La musique continue pendant ce temps.");
    expect(button("Stop").closest("dialog")).not.toBeNull();
    await page.pass(1);
    expect(page.decks.audible).toHaveLength(1);
  });

  test("the seek bar says where one is", async () => {
    await press("Plus");
    const bar = document.querySelector('.field input[type="range"]');
    expect(bar?.getAttribute("aria-valuetext")).toMatch(/^2 min \d+ sur 20 min$/);
  });

  test("the volume is remembered", async () => {
    await press("Plus");
    const bar = [...document.querySelectorAll<HTMLInputElement>('input[type="range"]')].at(1);
    if (!bar) throw new Error("no volume");
    expect(bar.value).toBe("70");
    bar.value = "40";
    bar.dispatchEvent(new Event("input", { bubbles: true }));
    expect(page.decks.heardVolume).toBe(0.4);
    expect(page.store.read("volume")).toBe("0.4");
  });

  test("after 8 s all but Stop and Help step back, until something stirs", async () => {
    const main = document.querySelector("main");
    dispatchEvent(new Event("pointermove"));
    await page.pass(IDLE_S - 0.5);
    await settle();
    expect(main?.dataset["idle"]).toBe("false");
    await page.pass(1);
    await settle();
    expect(main?.dataset["idle"]).toBe("true");
    const back = [...document.querySelectorAll(".fades")].map((one) => one.textContent);
    expect(back).not.toContain("Stop");
    expect(back).not.toContain("Aide");
    dispatchEvent(new Event("keydown"));
    await settle();
    expect(main?.dataset["idle"]).toBe("false");
  });

  test("going elsewhere in the page keeps Stop, and a way back", async () => {
    await go(HOME);
    expect(firstInTabOrder()).toBe("Stop");
    await press("Revenir à la musique");
    expect(document.querySelector("h1")?.textContent).toBe("Morceau 1 sur 4");
  });

  test("no letter does anything", async () => {
    for (const key of ["s", "p", " ", "m", "k"])
      dispatchEvent(new KeyboardEvent("keydown", { key }));
    await settle();
    expect(page.phase).toBe("playing");
  });

  test("a piece that changes is said once", async () => {
    const said: string[] = [];
    const say = app.announceText.bind(app);
    app.announceText = (words) => {
      said.push(words);
      say(words);
    };
    await page.pass(400);
    await settle();
    expect(said.filter((words) => words === "Morceau 2 sur 4")).toHaveLength(1);
  });
});

describe("the parts of the page", () => {
  test("are one main, and none has the name of another", async () => {
    for (const journey of [false, true]) {
      if (journey) await play();
      else await go(HOME);
      expect(document.querySelectorAll("main, [role=main]")).toHaveLength(1);
      const names = [...document.querySelectorAll("main, section[aria-label]")].map((one) =>
        one.getAttribute("aria-label"),
      );
      expect(names).toContain("Parcours");
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test("hold nothing that is offered once the music plays", async () => {
    await play();
    expect(document.querySelector(".offers")).toBeNull();
  });
});

describe("the end", () => {
  test("puts help first for who is worse, without a word about it", async () => {
    await play();
    page.journey.rate("suds_start", 4);
    await press("Stop");
    expect(document.querySelector(".help-first")).toBeNull();
    const six = [...document.querySelectorAll<HTMLInputElement>(".step input")].at(6);
    six?.click();
    await settle();
    const first = document.querySelector(".end h2, .end h1");
    expect(first?.textContent).toBe("Quelqu'un peut vous répondre tout de suite.");
    expect(document.querySelector(".help-first a")?.getAttribute("href")).toBe("tel:3114");
  });

  test("offers to take Stop back, at the same place", async () => {
    await play();
    await press("Stop");
    const { journeySeconds } = page.player.snapshot();
    await press("Reprendre");
    await page.pass(1);
    page.tell("complete", "complete", "complete", "complete");
    await page.pass(3);
    await settle();
    expect(page.phase).toBe("playing");
    expect(page.player.snapshot().journeySeconds).toBeGreaterThan(journeySeconds);
    expect(document.querySelector("h1")?.textContent).toBe("Morceau 1 sur 4");
  });

  test("of a whole journey offers nothing to take back", async () => {
    await play();
    await page.pass(1500);
    await settle();
    expect(page.phase).toBe("finished");
    expect(() => button("Reprendre")).toThrow();
  });

  test("leads back to the beginning", async () => {
    await play();
    await press("Stop");
    await press("Revenir au début");
    expect(document.querySelector("h1")?.textContent).toBe("J'ai besoin de calme maintenant");
  });
});

test("the form asks one field at a time and keeps both where a password manager sees them", async () => {
  page.open = async () => "form";
  await go(HOME);
  await press("Commencer");
  await page.pass(1);
  await settle();
  expect(text()).toContain("Votre choix est gardé : Colère, irritabilité.");
  const [email, password] = [...document.querySelectorAll<HTMLInputElement>("form input")];
  expect([email?.autocomplete, password?.autocomplete]).toEqual(["username", "current-password"]);
  expect([email?.tabIndex, password?.tabIndex]).toEqual([0, -1]);
});

test("the form says what is missing in the page's language, not in the browser's", async () => {
  page.open = async () => "form";
  await go(HOME);
  await press("Commencer");
  await page.pass(1);
  await settle();
  const form = document.querySelector("form");
  const [email, password] = [...document.querySelectorAll<HTMLInputElement>("form input")];
  const said = () => document.querySelector("[role=alert]")?.textContent;
  const send = async () => {
    form?.dispatchEvent(new Event("submit", { cancelable: true }));
    await settle();
  };
  if (!email || !password) throw new Error("no fields");
  expect(form?.noValidate).toBe(true);
  await send();
  expect(said()).toBe("Entrez votre adresse e-mail.");
  expect(email.getAttribute("aria-describedby")).toBe(document.querySelector("[role=alert]")?.id);
  email.value = "moi";
  await send();
  expect(said()).toBe("Cette adresse e-mail ne semble pas complète.");
  app.switchLanguage();
  await settle();
  expect(said()).toBe("This email address does not look complete.");
  email.value = "moi@example.org";
  await send();
  expect([said(), email.tabIndex, password.tabIndex]).toEqual([undefined, -1, 0]);
  await send();
  expect(said()).toBe("Enter a password.");
});

describe("help", () => {
  test("is one tap away on every screen", async () => {
    for (const route of [
      HOME,
      { name: "runs" },
      { name: "keep" },
      { name: "card", key: "x" },
    ] as Route[]) {
      await go(route);
      expect(button("Aide")).toBeTruthy();
    }
  });

  const choose = async (country: string) => {
    const select = document.querySelector("select");
    if (!select) throw new Error("no choice of country");
    select.value = country;
    select.dispatchEvent(new Event("change", { bubbles: true }));
    await settle();
  };

  test.each([
    ["FR", ["tel:15", "tel:112"], ["tel:15", "tel:112", "sms:114", "tel:3114"], 2],
    ["CA", ["tel:911", "tel:112"], ["tel:911", "tel:112", "tel:988"], 0],
    ["CH", ["tel:144", "tel:112"], ["tel:144", "tel:112", "tel:143"], 1],
    ["", ["tel:112"], ["tel:112", "https://findahelpline.com"], 0],
  ])("says the numbers of %j twice alike, and where they were reviewed", async (...row) => {
    const [country, flags, lines, reviewed] = row;
    await go(HOME);
    await press("Aide");
    await choose(country);
    const links = (inside: string) =>
      [...document.querySelectorAll(`${inside} a`)].map((one) => one.getAttribute("href"));
    expect(links("dialog .red-flags")).toEqual(flags);
    expect(links(".home .red-flags")).toEqual(flags);
    expect(links(".help-kind")).toEqual(lines);
    expect(text().match(/Numéros? relus? le 22 novembre 2026\./g) ?? []).toHaveLength(reviewed);
  });

  test("names who listens first, once somebody has said that it is very hard", async () => {
    await play();
    page.journey.rate("suds_mid", 8);
    await press("Aide");
    const kinds = [...document.querySelectorAll(".help-kind h3")].map((one) => one.textContent);
    expect(kinds).toEqual(["Détresse, idées suicidaires", "Urgence médicale"]);
    const firstNumber = document.querySelector('dialog a[href^="tel:"]');
    expect(firstNumber?.getAttribute("href")).toBe("tel:3114");
  });

  test("keeps the two kinds apart, and can be another country's", async () => {
    await go(HOME);
    await press("Aide");
    const kinds = [...document.querySelectorAll(".help-kind h3")].map((one) => one.textContent);
    expect(kinds).toEqual(["Urgence médicale", "Détresse, idées suicidaires"]);
    await choose("CH");
    expect(document.querySelector('a[href="tel:143"]')).not.toBeNull();
    expect(page.store.read("country")).toBe("CH");
  });
});

describe("music on this device", () => {
  const tick = () =>
    [...document.querySelectorAll("label")].find((one) =>
      one.textContent?.includes("Garder une musique sur cet appareil"),
    );

  test("is kept unless the listener says no, which erases it", async () => {
    vi.stubGlobal("caches", {});
    app.begin(CALM.key);
    app.open("more");
    await settle();
    const box = () => tick()?.querySelector("input");
    expect(box()?.checked).toBe(true);
    expect(text()).toContain("Rien de personnel n'est gardé avec elle.".replaceAll(" ", " "));

    box()?.click();
    await settle();
    expect(box()?.checked).toBe(false);
    expect(app.parts.preferences.keepsMusic).toBe(false);
    expect(erased).toBe(1);

    box()?.click();
    await settle();
    expect(app.parts.preferences.keepsMusic).toBe(true);
    expect(erased).toBe(1);
  });

  test("is not offered where the browser cannot keep any", async () => {
    app.begin(CALM.key);
    app.open("more");
    await settle();
    expect(tick()).toBeUndefined();
  });
});
