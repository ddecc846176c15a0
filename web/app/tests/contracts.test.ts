import { describe, expect, test } from "vitest";
import { ContractBroken, readConfig, readPresets } from "../contracts";

const CONFIG = {
  supabaseUrl: "https://project.example/",
  publishableKey: "sb_publishable_x",
  bedUrl: "bed.mp3",
};

const PRESET = {
  key: "01-panique-anxiete",
  slug: "panique-anxiete",
  group: "overflow",
  groupName: { fr: "Quand tout déborde", en: "When it is all too much" },
  title: { fr: "Panique", en: "Panic" },
  from: { fr: "l'alarme", en: "alarm" },
  to: { fr: "le calme", en: "calm" },
  minutes: { min: 20, max: 20 },
  text: { fr: "…", en: "…" },
  firstTitle: { fr: "Là, tout de suite", en: "Right now" },
  contraindications: [{ fr: "Pas au volant.", en: "Not while driving." }],
  emotion: "fear",
};

describe("config.json", () => {
  test("needs no more than where, with which key, and the bed", () => {
    expect(readConfig(CONFIG)).toEqual({
      supabaseUrl: "https://project.example",
      functionsUrl: "https://project.example/functions/v1",
      publishableKey: "sb_publishable_x",
      realtime: false,
      mediaHosts: [],
      bedUrl: "bed.mp3",
      bedStartUrl: null,
      settings: {},
    });
  });

  test("names the few seconds of the bed that come first", () => {
    const bedStartUrl = "assets/bed-start-0a1b2c3d.mp3";
    expect(readConfig({ ...CONFIG, bedStartUrl }).bedStartUrl).toBe(bedStartUrl);
  });

  test("sets the engine's own bounds, and nothing the engine does not know", () => {
    const settings = { journeySecondsMin: 40, journeySecondsMax: "60", unknown: 1 };
    expect(readConfig({ ...CONFIG, settings }).settings).toEqual({ journeySecondsMin: 40 });
  });

  test.each([null, [], {}, { ...CONFIG, publishableKey: "" }])("is not %j", (value) => {
    expect(() => readConfig(value)).toThrow(ContractBroken);
  });
});

describe("presets.json", () => {
  test("is a list of whole presets", () => {
    expect(readPresets([PRESET])[0]).toEqual(PRESET);
  });

  test("may bring colours", () => {
    const colors = { from: { l: 0.7, c: 0.05, h: 20 }, to: { l: 0.8, c: 0.05, h: 90 } };
    expect(readPresets([{ ...PRESET, colors }])[0]?.colors).toEqual(colors);
  });

  test.each([
    [],
    {},
    [{ ...PRESET, group: "other" }],
    [{ ...PRESET, title: { fr: "Panique" } }],
    [{ ...PRESET, contraindications: null }],
    [{ ...PRESET, colors: { from: 1 } }],
  ])("is not %j", (value) => {
    expect(() => readPresets(value)).toThrow(ContractBroken);
  });
});
