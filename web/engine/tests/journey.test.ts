import { describe, expect, test } from "vitest";
import { reduce } from "../planner/planner";
import { carryingSourcesOf, isPlayable, isPreviewOf, sourcesOf } from "../planner/sources";
import {
  type Command,
  type Journey,
  type JourneyEvent,
  newJourney,
  type PlaybackEvent,
  TRANSITIONS,
  transition,
  type UserAction,
} from "../planner/state";
import { SETTINGS } from "../settings";
import type { StateName } from "../snapshot";
import { complete, failed, previewed, queued } from "./player-harness";

const RUN = { id: "run", status: "ready", segments: [0, 1, 2].map((i) => complete(i)) } as const;
const HEARD = {
  pieceSeconds: 0,
  fileEndSeconds: 300,
  sounds: true,
  bufferLow: false,
  stale: false,
};
const SOUNDED: PlaybackEvent = {
  event: "sounded",
  index: 0,
  carried: 0,
  kind: "final",
  previewing: false,
  leftAtSeconds: 0,
  ...HEARD,
};

function live(...events: readonly (UserAction | PlaybackEvent)[]): {
  state: Journey;
  commands: Command[];
} {
  let state = newJourney(SETTINGS);
  const commands: Command[] = [];
  events.forEach((event, at) => {
    const next = reduce(state, { ...event, at } as JourneyEvent);
    state = next.state;
    commands.push(...next.commands);
  });
  return { state, commands };
}

const START: UserAction = { event: "start" };
const TOLD: UserAction = { event: "run", run: RUN };
const PLAYING = [START, TOLD, SOUNDED, { event: "settled" }] as const;

describe("the life of a journey", () => {
  test("says of every state where it may go, and knows every state it names", () => {
    const names = Object.keys(TRANSITIONS);
    expect(
      Object.values(TRANSITIONS)
        .flat()
        .every((name) => names.includes(name)),
    ).toBe(true);
    expect(names.sort()).toEqual(
      [...new Set(["idle", ...Object.values(TRANSITIONS).flat()])].sort(),
    );
  });

  test("refuses a move that is not in the table", () => {
    expect(() => transition(newJourney(SETTINGS), "playing")).toThrow();
  });

  test.each<[StateName, readonly (UserAction | PlaybackEvent)[]]>([
    ["waiting", [START]],
    ["waiting", [START, TOLD]],
    ["playing", PLAYING],
    ["paused", [...PLAYING, { event: "pause" }]],
    ["playing", [...PLAYING, { event: "pause" }, { event: "resume" }]],
    ["stalled", [...PLAYING, { event: "stalled" }]],
    ["playing", [...PLAYING, { event: "stalled" }, { event: "flowing" }]],
    ["stalled", [...PLAYING, { event: "lost" }]],
    ["paused", [...PLAYING, { event: "interrupted" }]],
    ["stopped", [...PLAYING, { event: "stop" }]],
    ["stopped", [...PLAYING, { event: "stop" }, { event: "resume" }, SOUNDED]],
    ["failed", [START, { event: "run", run: { ...RUN, segments: [failed(0)] } }]],
  ])("is %s after what happened", (name, events) => {
    expect(live(...events).state.name).toBe(name);
  });

  test("begins with the first piece, and prepares the next as soon as it sounds alone", () => {
    const { commands } = live(...PLAYING);
    expect(commands).toEqual([
      { do: "play", index: 0, carried: 0, pieceSeconds: 0, how: "first" },
      { do: "preload", index: 1, carried: 0 },
    ]);
  });

  test("does one thing at a time", () => {
    const due: PlaybackEvent = { event: "tick", heard: { ...HEARD, pieceSeconds: 297 } };
    const { commands } = live(...PLAYING, due, due, due);
    expect(commands.filter((command) => command.do === "play").length).toBe(2);
  });

  test("is changed by nothing that comes late", () => {
    const before = live(...PLAYING, { event: "stop" }).state;
    const late = (["settled", "unplayable", "flowing", "ended"] as const).map((event) => ({
      event,
    }));
    for (const event of [...late, { event: "closed", pieceSeconds: 9 } as const]) {
      expect(reduce(before, { ...event, at: 9 })).toEqual({ state: before, commands: [] });
    }
  });
});

describe("sources", () => {
  test("come in the documented order", () => {
    const segment = complete(0, { finalUrl: "https://final.test/a.mp3" });
    const origins = sourcesOf(segment).map((source) => source.origin);
    expect(origins).toEqual(["storage", "final_url", "preview_url"]);
  });

  test("that carry a piece on are the second track, then itself, in turn", () => {
    const origins = (times: number) =>
      carryingSourcesOf(complete(0), times).map((source) => source.origin);
    expect(origins(1)).toEqual(["second_download", "storage", "preview_url"]);
    expect(origins(2)).toEqual(["storage", "preview_url", "second_download"]);
  });

  test("of a failed or waiting segment are not music, whatever addresses are left", () => {
    const previewUrl = "https://stream.test/old.mp3";
    expect(isPlayable(failed(0, { previewUrl }))).toBe(false);
    expect(isPlayable(queued(0, { previewUrl }))).toBe(false);
    expect(isPlayable(previewed(0))).toBe(true);
  });

  test("are the preview of a final only where the Suno track is the same", () => {
    const [preview] = sourcesOf(previewed(0));
    if (!preview) throw new Error("a previewed segment has a source");
    expect(isPreviewOf(preview, complete(0))).toBe(true);
    expect(isPreviewOf(preview, complete(0, { sunoTrackId: null }))).toBe(true);
    expect(isPreviewOf(preview, complete(0, { sunoTrackId: "other" }))).toBe(false);
    expect(isPreviewOf(preview, previewed(0))).toBe(false);
  });
});
