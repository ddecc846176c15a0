import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { CALLS, type Call } from "../testing/fake-browser";
import { AudioHarness } from "./audio-harness";

const SEQUENCES = 10_000;
/** The same sequences each time; `SEED=$RANDOM SEQUENCES=100000` looks for others. */
const SEED = 20_261_130;
/** So many of them on one player, each beginning where the one before ended. */
const IN_A_ROW = 10;
/** By then nothing sounds, whichever call fails. */
const SILENT_SECONDS = 0.06;
/** By then nothing sounds, even where any call fails now and then: it is verified and cut again. */
const VERIFIED_SECONDS = 1;
const SOUNDING = ["waiting", "playing", "stalled", "failed"];

afterEach(() => {
  vi.unstubAllGlobals();
});

/** How a player comes into each state, from its start. */
const STATES: Readonly<Record<string, (room: AudioHarness) => Promise<void>>> = {
  waiting: (room) => room.pass(1),
  async "first fade"(room) {
    room.tellPieces(2);
    await room.pass(0.45);
  },
  async final(room) {
    room.tellPieces(2);
    await room.pass(2);
  },
  async reserve(room) {
    room.reserve();
    await room.pass(2);
  },
  async "from the reserve to the run"(room) {
    room.reserve();
    await room.pass(2);
    room.tellPieces(2);
    room.player.own();
    await room.pass(0.4);
  },
  async preview(room) {
    room.tellPieces(0, 1);
    await room.pass(2);
  },
  async swap(room) {
    room.tellPieces(0, 1);
    await room.pass(2);
    room.tellPieces(1);
    await room.pass(1.5);
  },
  async crossfade(room) {
    room.tellPieces(2);
    await room.pass(2);
    room.player.next();
    await room.pass(0.4);
  },
  async seek(room) {
    room.tellPieces(1);
    await room.pass(2);
    room.player.seek(1);
    await room.pass(0.05);
  },
  async stall(room) {
    room.tellPieces(1);
    await room.pass(1);
    room.stand(0, 1.5);
    for (let i = 0; i < 40 && room.player.snapshot().state !== "stalled"; i += 1) {
      await room.pass(0.1);
    }
    await room.pass(0.4);
  },
  async closing(room) {
    room.tellPieces(1);
    await room.pass(2);
    room.failLater();
    for (let i = 0; i < 500 && !room.player.snapshot().closing; i += 1) await room.pass(0.1);
    await room.pass(0.3);
  },
  async resumed(room) {
    room.tellPieces(2);
    await room.pass(2);
    room.player.pause();
    await room.pass(1);
    room.player.resume();
    await room.pass(1.2);
  },
};

async function expectSilence(room: AudioHarness, within: number): Promise<void> {
  await room.pass(within);
  for (let i = 0; i < 6; i += 1) {
    if (room.sounds) throw new Error(`still sounds ${i * 0.25} s later`);
    await room.pass(0.25);
  }
}

describe.each(Object.keys(STATES))("in the state: %s", (name) => {
  test.each(["web-audio", "plain"] as const)(
    "Stop and Pause are silence whichever call fails (%s)",
    async (output) => {
      for (const call of CALLS) {
        for (const verb of ["stop", "pause"] as const) {
          const room = new AudioHarness({ output });
          room.player.start("run");
          await STATES[name]?.(room);
          const where = `${verb} while ${call} fails`;
          expect(room.sounds, `${where}: music or the bed before`).toBe(true);
          room.browser.fails = (failing) => failing === call;
          room.player[verb]();
          await expectSilence(room, SILENT_SECONDS).catch((error: unknown) => {
            throw new Error(`${where}: ${String(error)}`);
          });
          const state = verb === "stop" ? "stopped" : "paused";
          expect(room.player.snapshot().state, where).toBe(state);
          room.close();
        }
      }
    },
  );
});

test("eight mistakes of our own in a row end the journey in silence, and are reported", async () => {
  const room = new AudioHarness();
  room.player.start("run");
  await STATES["final"]?.(room);
  for (let mistakes = 1; mistakes < 8; mistakes += 1) room.tellNonsense();
  await room.pass(1);
  expect(room.player.snapshot().state).toBe("playing");
  expect(room.sounds, "seven, and what can be understood in between").toBe(true);
  for (let mistakes = 1; mistakes <= 8; mistakes += 1) room.tellNonsense();
  await expectSilence(room, SILENT_SECONDS);
  expect(room.player.snapshot()).toMatchObject({ state: "stopped", fault: "internal" });
  expect(room.errors.every(({ kind }) => kind === "internal")).toBe(true);
  expect(room.errors.filter(({ where }) => where === "step run").length).toBe(15);
  room.tellPieces(2);
  room.player.start("run");
  await room.pass(2);
  expect(room.player.snapshot()).toMatchObject({ state: "playing", fault: null });
  expect(room.sounds, "it can be begun anew").toBe(true);
  room.close();
});

type Act = "next" | "previous" | "seek" | "pause" | "resume" | "call" | "freeze" | "stand" | "more";
const ACTS: Act[] = [
  "next",
  "previous",
  "seek",
  "pause",
  "resume",
  "resume",
  "call",
  "freeze",
  "stand",
  "more",
];

/** What fails, what happens meanwhile, and then Stop or Pause. */
const SEQUENCE = fc.record({
  /** One call that always fails, and how often any other does. */
  broken: fc.option(fc.constantFrom(...CALLS)),
  chance: fc.constantFrom(0, 0.05, 0.2, 0.3),
  seed: fc.integer(),
  acts: fc.array(
    fc.record({ act: fc.constantFrom(...ACTS), pass: fc.constantFrom(0, 0.03, 0.1, 0.5, 1, 2.5) }),
    { maxLength: 4 },
  ),
  verb: fc.constantFrom<("stop" | "pause")[]>("stop", "pause"),
});
type Sequence = typeof SEQUENCE extends fc.Arbitrary<infer Made> ? Made : never;

const SITTING = fc.record({
  output: fc.constantFrom<("web-audio" | "plain")[]>("web-audio", "web-audio", "plain"),
  beginsLate: fc.boolean(),
  state: fc.constantFrom(...Object.keys(STATES)),
  sequences: fc.array(SEQUENCE, { minLength: IN_A_ROW, maxLength: IN_A_ROW }),
});

function perform(room: AudioHarness, act: Act): void {
  const { player, browser } = room;
  switch (act) {
    case "seek":
      return player.seek(2);
    case "call":
      return browser.elements.find((element) => element.level > 0)?.interrupt();
    case "freeze":
      return browser.contexts.at(-1)?.freeze();
    case "stand":
      return room.stand(0, 3);
    case "more":
      return room.tellPieces(2, 1);
    default:
      return player[act]();
  }
}

async function live(room: AudioHarness, sequence: Sequence): Promise<void> {
  const { broken, chance, seed, acts, verb } = sequence;
  const { player, browser } = room;
  const random = randomFrom(seed);
  browser.fails = (call: Call) => call === broken || random() < chance;
  for (const { act, pass } of acts) {
    perform(room, act);
    await room.pass(pass);
  }
  const { state } = player.snapshot();
  player[verb]();
  if (verb === "stop" || state !== "failed") {
    await expectSilence(room, chance > 0 ? VERIFIED_SECONDS : SILENT_SECONDS);
    expect(SOUNDING).not.toContain(player.snapshot().state);
  }
  browser.fails = () => false;
}

test("in any order, whatever fails: silence after Stop and Pause, music or the bed before and after", async () => {
  await fc.assert(
    fc.asyncProperty(SITTING, async ({ output, beginsLate, state, sequences }) => {
      const room = new AudioHarness({ output, beginsLate });
      room.player.start("run");
      await STATES[state]?.(room);
      expect(room.sounds, "music or the bed before").toBe(true);
      for (const sequence of sequences) {
        await live(room, sequence);
        if (room.player.snapshot().state === "paused") room.player.resume();
        else room.player.start("run");
        await room.pass(1);
      }
      room.player.pause();
      await expectMusicAgain(room);
      room.close();
      expect(room.sounds).toBe(false);
      expect(room.errors.filter(({ kind }) => kind === "internal")).toEqual([]);
    }),
    {
      numRuns: Math.ceil(Number(process.env["SEQUENCES"] ?? SEQUENCES) / IN_A_ROW),
      seed: Number(process.env["SEED"] ?? SEED),
    },
  );
}, 1_800_000);

/** Nothing fails any more, and a tap brings the sound back. */
async function expectMusicAgain(room: AudioHarness): Promise<void> {
  const { player } = room;
  for (const index of [0, 1, 2]) room.heal(index);
  if (player.snapshot().state === "paused") player.resume();
  else player.start("run");
  await room.pass(7);
  if (player.snapshot().needsGesture) player.resume();
  await room.pass(3);
  const { closing, state } = player.snapshot();
  if (closing || state === "finished") return;
  expect(SOUNDING.slice(0, 3)).toContain(player.snapshot().state);
  // Where a stream has just ended, the bed needs a moment.
  for (let i = 0; i < 5 && !room.sounds; i += 1) await room.pass(0.1);
  expect(room.sounds, "music or the bed after").toBe(true);
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
