import { beforeEach, describe, expect, test } from "vitest";
import type { Player, Snapshot } from "../../engine";
import { MediaKeys } from "../browser/media-session";
import { PageHarness } from "./page-harness";

class Metadata {
  constructor(readonly init: MediaMetadataInit) {}
  get title() {
    return this.init.title ?? "";
  }
  get artist() {
    return this.init.artist ?? "";
  }
}

/** A browser's media session; `knows` tells which actions it does not throw at. */
class Session {
  metadata: Metadata | null = null;
  playbackState: MediaSessionPlaybackState = "none";
  readonly handlers = new Map<string, MediaSessionActionHandler>();
  position: MediaPositionState | undefined;

  constructor(private readonly knows: (action: string) => boolean = () => true) {}

  setActionHandler(action: string, handler: MediaSessionActionHandler | null): void {
    if (!this.knows(action)) throw new TypeError(action);
    if (handler) this.handlers.set(action, handler);
    else this.handlers.delete(action);
  }

  setPositionState(position?: MediaPositionState): void {
    if (position && (position.position ?? 0) > (position.duration ?? 0)) throw new TypeError();
    this.position = position;
  }

  press(action: MediaSessionAction, details: Partial<MediaSessionActionDetails> = {}): void {
    this.handlers.get(action)?.({ action, ...details });
  }
}

let page: PageHarness;
let session: Session;
let pressed: string[];
let keys: MediaKeys;

function open(knows?: (action: string) => boolean): void {
  Object.assign(globalThis, { MediaMetadata: Metadata });
  page = new PageHarness();
  page.journey.start();
  session = new Session(knows);
  pressed = [];
  keys = new MediaKeys(
    {
      player: page.player,
      resume: () => pressed.push("resume"),
      stop: () => pressed.push("stop"),
      title: () => "Parcours XL",
      piece: (place, of) => `Morceau ${place} sur ${of}`,
    },
    session as unknown as MediaSession,
  );
  keys.start();
}

async function listen(): Promise<void> {
  page.journey.begin({ presetKey: "01-panique-anxiete", idempotencyKey: "k" });
  await page.pass(1);
  page.tell("complete", "complete", "complete", "complete");
  await page.pass(60);
}

beforeEach(() => open());

describe("lock screen and media keys", () => {
  test("show a neutral title, never the condition", async () => {
    await listen();
    expect(session.metadata?.init).toEqual({ title: "Parcours XL", artist: "Morceau 1 sur 4" });
  });

  test("tell the state and the place in the journey", async () => {
    await listen();
    expect(session.playbackState).toBe("playing");
    expect(session.position?.duration).toBeGreaterThan(1100);
    expect(session.position?.position).toBeGreaterThan(30);
    session.press("pause");
    await page.pass(1);
    expect(session.playbackState).toBe("paused");
  });

  test("resume and stop through the page, which holds the sound", () => {
    session.press("play");
    session.press("stop");
    expect(pressed).toEqual(["resume", "stop"]);
  });

  test("go to the next piece, and seek", async () => {
    await listen();
    session.press("nexttrack");
    await page.pass(10);
    expect(session.metadata?.artist).toBe("Morceau 2 sur 4");
    const before = page.player.snapshot().journeySeconds;
    session.press("seekforward", { seekOffset: 30 });
    await page.pass(3);
    expect(page.player.snapshot().journeySeconds).toBeGreaterThan(before + 29);
  });

  test("work where a browser knows only some of them", async () => {
    open((action) => action === "pause");
    await listen();
    session.press("pause");
    await page.pass(1);
    expect(page.phase).toBe("paused");
  });

  test("say nothing of a length that is not known", async () => {
    const listeners: ((snapshot: Snapshot) => void)[] = [];
    const player = {
      subscribe: (listener: (snapshot: Snapshot) => void) => {
        listeners.push(listener);
        return () => {};
      },
    } as unknown as Player;
    const live = new MediaKeys(
      { player, resume: () => {}, stop: () => {}, title: () => "", piece: () => "" },
      session as unknown as MediaSession,
    );
    live.start();
    const place = { runId: "run", segmentIndex: 0, pieceSeconds: 3, journeySeconds: 3 };
    const snapshot = { ...page.player.snapshot(), place, totalSeconds: Number.POSITIVE_INFINITY };
    for (const listener of listeners) listener(snapshot);
    expect(session.position).toBeUndefined();
  });

  test("are given back when the page lets go", async () => {
    await listen();
    keys.stop();
    expect([session.handlers.size, session.metadata, session.playbackState]).toEqual([
      0,
      null,
      "none",
    ]);
  });
});

test("a browser without a media session misses nothing", () => {
  const silent = new MediaKeys(
    { player: page.player, resume: () => {}, stop: () => {}, title: () => "", piece: () => "" },
    null,
  );
  silent.start();
  silent.stop();
});
