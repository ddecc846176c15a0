import { expect, test } from "vitest";
import { reserveFinder } from "../reserve";
import { Session } from "../session";
import { type Answer, FakeSupabase, signedIn } from "./fake-supabase";

const PIECE = { id: "a", url: "https://project.example/a.mp3", seconds: 180, loudnessLufs: null };

async function asking(...answers: Answer[]) {
  const supabase = new FakeSupabase();
  supabase.answer({ body: signedIn() });
  await new Session(supabase.client).open();
  supabase.answer(...answers);
  return { supabase, find: reserveFinder(supabase.client) };
}

test("the pieces of a preset are asked of one function", async () => {
  const { supabase, find } = await asking({ body: { pieces: [PIECE] } });
  expect(await find("00-universel-reset")).toEqual([PIECE]);
  expect(supabase.last).toMatchObject({
    method: "POST",
    body: { presetKey: "00-universel-reset" },
  });
  expect(supabase.last.url.pathname).toBe("/functions/v1/parcours-xl-reserve");
  expect(supabase.last.headers.get("authorization")).toBe("Bearer a.b.c");
});

test("they are asked as soon as somebody is signed in, and not before", async () => {
  const supabase = new FakeSupabase();
  const pieces = reserveFinder(supabase.client)("00-universel-reset");
  await new Promise((resolve) => setTimeout(resolve));
  expect(supabase.sent).toEqual([]);
  supabase.answer({ body: signedIn() }, { body: { pieces: [PIECE] } });
  await new Session(supabase.client).open();
  expect(await pieces).toEqual([PIECE]);
});

test.each([
  [{ status: 503 }, "unavailable"],
  ["down", "unreachable"],
] as const)("what goes wrong is a ServiceError: %s", async (answer, kind) => {
  const { find } = await asking(answer);
  await expect(find("x")).rejects.toMatchObject({ kind });
});
