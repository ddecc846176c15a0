import { describe, expect, test, vi } from "vitest";
import { ServiceError, SignInRefused } from "../service-error";
import { Session } from "../session";
import { FakeSupabase, signedIn, USER } from "./fake-supabase";

function newcomer() {
  const supabase = new FakeSupabase();
  return { supabase, session: new Session(supabase.client) };
}

const anonymous = { ...USER, email: "", is_anonymous: true };

async function refusalOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => null,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(SignInRefused);
  return (error as SignInRefused).why;
}

describe("opening a session", () => {
  test("asks nothing where anonymous listeners are allowed", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    expect(await session.open()).toBe("open");
    expect(supabase.last.url.pathname).toBe("/auth/v1/signup");
    expect(supabase.last.body).not.toHaveProperty("email");
  });

  test("keeps the session that is there", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    await session.open();
    expect(supabase.sent).toHaveLength(1);
  });

  test("asks for the form where they are not", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({
      status: 422,
      body: { code: 422, error_code: "anonymous_provider_disabled", msg: "…" },
    });
    expect(await session.open()).toBe("form");
  });

  test("waits where too many people begin behind one address", async () => {
    const { supabase, session } = newcomer();
    const body = { code: 429, error_code: "over_request_rate_limit", msg: "…" };
    supabase.answer({ status: 429, body });
    const error = await session.open().catch((reason) => reason);
    expect(error).toMatchObject({ kind: "rate-limited", transient: true });
  });

  test("tells an Auth that is away from one that refuses", async () => {
    const { supabase, session } = newcomer();
    supabase.answer("down");
    const error = await session.open().then(
      () => null,
      (reason) => reason,
    );
    expect(error).toBeInstanceOf(ServiceError);
    expect((error as ServiceError).transient).toBe(true);
  });
});

describe("a session that is over", () => {
  const expired = { ...signedIn(anonymous), expires_in: -10, expires_at: 1 };

  test("is not replaced by another listener's while Auth is away", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: expired });
    await session.open();
    vi.useFakeTimers();
    const opening = session.open().catch((reason) => reason);
    await vi.advanceTimersByTimeAsync(60_000);
    const error = await opening;
    vi.useRealTimers();
    expect((error as ServiceError).transient).toBe(true);
    expect(supabase.sent.filter(({ url }) => url.pathname.endsWith("/signup"))).toHaveLength(1);
  });

  test("is let go when Auth refuses it for good", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    supabase.answer(
      { status: 400, body: { code: 400, error_code: "refresh_token_not_found", msg: "…" } },
      { status: 204 },
      { body: signedIn(anonymous) },
    );
    await session.renew();
    expect(await session.open()).toBe("open");
    expect(supabase.sent.filter(({ url }) => url.pathname.endsWith("/signup"))).toHaveLength(2);
  });

  test("is renewed where that is possible", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) }, { body: signedIn(anonymous) });
    await session.open();
    await session.renew();
    expect(supabase.last.url.searchParams.get("grant_type")).toBe("refresh_token");
  });
});

describe("the form", () => {
  test.each([
    ["invalid_credentials", 400, "wrong"],
    ["email_not_confirmed", 400, "unconfirmed"],
    ["over_request_rate_limit", 429, "busy"],
    ["unexpected_failure", 500, "down"],
    ["user_not_found", 400, "wrong"],
    ["user_banned", 403, "refused"],
    ["a_code_of_tomorrow", 422, "refused"],
    ["a_code_of_tomorrow", 429, "busy"],
  ])("says kindly what %s means", async (code, status, why) => {
    const { supabase, session } = newcomer();
    supabase.answer({ status, body: { code: status, error_code: code, msg: "…" } });
    expect(await refusalOf(session.signIn("a@b.fr", "x"))).toBe(why);
  });

  test.each([
    ["user_already_exists", "taken"],
    ["weak_password", "weak"],
    ["signup_disabled", "closed"],
    ["validation_failed", "email"],
  ])("says kindly what %s means to who signs up", async (code, why) => {
    const { supabase, session } = newcomer();
    supabase.answer({ status: 422, body: { code: 422, error_code: code, msg: "…" } });
    expect(await refusalOf(session.signUp("a@b.fr", "x"))).toBe(why);
  });

  test("waits for the message where the project confirms addresses", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: USER });
    expect(await session.signUp("a@b.fr", "long enough")).toBe("confirm");
  });
});

describe("keeping journeys", () => {
  test("gives an anonymous listener an address and a password in one go", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    supabase.answer({ body: USER }, { body: signedIn(USER) });
    expect(await session.keep("camille@example.org", "long enough")).toBe("kept");
    const update = supabase.sent.find(({ method }) => method === "PUT");
    expect(update?.body).toMatchObject({ email: "camille@example.org", password: "long enough" });
  });

  test("says so where the address is to be confirmed first", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    supabase.answer({ body: anonymous });
    expect(await session.keep("camille@example.org", "long enough")).toBe("confirm");
  });
});

describe("a session that was there", () => {
  test("is not let go because too many renew theirs at the same time", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    supabase.answer({ status: 429, body: { code: 429, error_code: "over_request_rate_limit" } });
    const error = await session.renew().catch((reason) => reason);
    expect(error).toMatchObject({ kind: "rate-limited" });
    expect(await session.open()).toBe("open");
  });

  test("is recognised as kept when the address was confirmed elsewhere", async () => {
    const { supabase, session } = newcomer();
    const asked = { ...anonymous, new_email: "camille@example.org" };
    supabase.answer({ body: signedIn(asked) });
    await session.open();
    supabase.answer({ body: USER }, { body: signedIn(USER) });
    const heard = vi.fn();
    session.start(heard);
    await session.recognise();
    session.stop();
    expect(heard).toHaveBeenLastCalledWith(expect.objectContaining({ anonymous: false }));
  });

  test("asks nothing more where no address is on its way", async () => {
    const { supabase, session } = newcomer();
    supabase.answer({ body: signedIn(anonymous) });
    await session.open();
    await session.recognise();
    expect(supabase.sent).toHaveLength(1);
  });
});

test("a password that is too long is not called a wrong address", async () => {
  const { supabase, session } = newcomer();
  const msg = "Password cannot be longer than 72 characters";
  supabase.answer({ status: 400, body: { code: 400, error_code: "validation_failed", msg } });
  expect(await refusalOf(session.signUp("camille@example.org", "x".repeat(73)))).toBe("long");
});
