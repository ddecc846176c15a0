import { expect, test } from "vitest";
import { reserveFinder } from "../reserve";
import { Session } from "../session";
import { type Answer, signedIn, Wire } from "./wire";

const PIECE = { id: "a", url: "https://project.example/a.mp3", seconds: 180, loudnessLufs: null };

async function asking(...answers: Answer[]) {
  const wire = new Wire();
  wire.answer({ body: signedIn() });
  await new Session(wire.client).open();
  wire.answer(...answers);
  return { wire, find: reserveFinder(wire.client) };
}

test("the pieces of a preset are asked of one function", async () => {
  const { wire, find } = await asking({ body: { pieces: [PIECE] } });
  expect(await find("00-universel-reset")).toEqual([PIECE]);
  expect(wire.last).toMatchObject({ method: "POST", body: { presetKey: "00-universel-reset" } });
  expect(wire.last.url.pathname).toBe("/functions/v1/parcours-xl-reserve");
  expect(wire.last.headers.get("authorization")).toBe("Bearer a.b.c");
});

test("they are asked as soon as somebody is signed in, and not before", async () => {
  const wire = new Wire();
  const pieces = reserveFinder(wire.client)("00-universel-reset");
  await new Promise((resolve) => setTimeout(resolve));
  expect(wire.sent).toEqual([]);
  wire.answer({ body: signedIn() }, { body: { pieces: [PIECE] } });
  await new Session(wire.client).open();
  expect(await pieces).toEqual([PIECE]);
});

test.each([
  [{ status: 503 }, "unavailable"],
  ["down", "unreachable"],
] as const)("what goes wrong is a ServiceError: %s", async (answer, kind) => {
  const { find } = await asking(answer);
  await expect(find("x")).rejects.toMatchObject({ kind });
});
