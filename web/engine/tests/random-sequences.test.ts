import fc from "fast-check";
import { expect, test } from "vitest";
import { SETTINGS as DEFAULTS } from "../settings";
import type { StateName } from "../snapshot";
import type { FakeDecksOptions } from "../testing/fake-decks";
import { PlayerHarness } from "./player-harness";
import { RANDOM_ACTION, type RandomAction, World } from "./random-actions";
import { SETTINGS } from "./short-settings";

const { standstillSeconds } = DEFAULTS;
const SEQUENCES = 10_000;
/** A look may fall into the instant between the end of a file and its being reported. */
const INSTANT = 0.05;
const SILENCE = "silence";
const CALM_SECONDS = 0.5;
/** Until the engine has noticed that the browser does not answer, and the bed sounds. */
const UNANSWERED_SECONDS = standstillSeconds + 2 * CALM_SECONDS;

/** Web Audio for the most part, plain elements, and those whose volume cannot be set. */
const OUTPUT = fc.constantFrom<FakeDecksOptions[]>(
  {},
  {},
  { plainOnly: true },
  { plainOnly: true, fades: false },
);
const QUIET: readonly StateName[] = ["idle", "stopped", "paused", "finished"];

/** Since when things are as they are, and whether they may sound as they do. */
class Ear {
  private state: StateName = "idle";
  private calmSince = 0;

  constructor(
    private readonly harness: PlayerHarness,
    private readonly world: World,
  ) {}

  /** Somebody did something: what is heard may need a moment. */
  disturb(): void {
    this.calmSince = this.harness.clock.now();
  }

  /** What is wrong with what is heard now, if anything. */
  listen(): string | null {
    const { state, journeySeconds, closing } = this.harness.player.snapshot();
    if (closing) return null;
    if (state !== this.state) this.disturb();
    this.state = state;
    const fault = this.faultIn(state, journeySeconds);
    return fault && `${fault} (${state})`;
  }

  private faultIn(state: StateName, journeySeconds: number): string | null {
    const calm = this.harness.clock.now() - this.calmSince;
    const { pieces, bed } = this.hear();
    if (pieces > 2) return `${pieces} pieces sound`;
    if (journeySeconds > SETTINGS.journeySecondsMax + 0.5) return "the journey is too long";
    if (QUIET.includes(state)) {
      const grace = state === "stopped" || state === "idle" ? 0.05 : 0.25;
      return calm > grace && pieces + bed > 0 ? "a sound where there is none" : null;
    }
    const grace = this.world.unanswered ? UNANSWERED_SECONDS : CALM_SECONDS;
    return calm > grace && pieces + bed === 0 ? SILENCE : null;
  }

  hear(): { pieces: number; bed: number } {
    const { audible, bed } = this.harness.decks;
    return { pieces: audible.filter((deck) => deck.level > 0).length, bed: bed.level };
  }
}

async function live(acts: readonly RandomAction[], output: FakeDecksOptions): Promise<void> {
  const harness = new PlayerHarness({ ...output, settings: SETTINGS });
  const world = new World(harness);
  const ear = new Ear(harness, world);
  const pass = async (seconds: number) => {
    for (let left = seconds; left > 1e-9; left -= 0.2) {
      await harness.clock.advance(Math.min(left, 0.2));
      const fault = ear.listen();
      if (fault?.startsWith(SILENCE)) await harness.clock.advance(INSTANT);
      if (fault && ear.listen()) throw new Error(fault);
    }
  };
  harness.player.start("run");
  for (const act of acts) {
    if (act.do === "pass") {
      await pass(act.seconds);
    } else {
      world.act(act);
      ear.disturb();
    }
  }
  world.heal();
  ear.disturb();
  await pass(world.unanswered ? 10 : 5);
  harness.player.resume();
  ear.disturb();
  await pass(6);
  const { state, closing } = harness.player.snapshot();
  expect(["playing", "finished", "stopped"]).toContain(state);
  if (state === "playing" && !closing) expect(ear.hear().pieces).toBeGreaterThan(0);
  harness.player.dispose();
  await pass(0.1);
  expect(ear.hear()).toEqual({ pieces: 0, bed: 0 });
}

test("in any order: two pieces at most, none after Stop, never silence while a source lives", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(RANDOM_ACTION, { minLength: 4, maxLength: 24 }), OUTPUT, live),
    {
      numRuns: Number(process.env["SEQUENCES"] ?? SEQUENCES),
    },
  );
}, 600_000);
