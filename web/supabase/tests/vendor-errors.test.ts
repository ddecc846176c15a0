import { type AuthError, FunctionsFetchError, FunctionsRelayError } from "@supabase/supabase-js";
import { describe, expect, test } from "vitest";
import { formRefusal, functionError, queryError } from "../vendor-errors";

const named = (name: string) => Object.assign(new Error("…"), { name });

describe("a call of a function", () => {
  test.each(["TypeError", "AbortError", "TimeoutError"])(
    "that ends in a %s met no answer",
    (name) => {
      expect(functionError(new FunctionsFetchError(named(name))).kind).toBe("unreachable");
    },
  );

  test.each([null, new FunctionsRelayError({}), new SyntaxError("…")])(
    "that is answered with what is no answer (%s) is the service's matter",
    (error) => {
      expect(functionError(error).kind).toBe("unavailable");
    },
  );

  test.each([new FunctionsFetchError(named("ReferenceError")), new TypeError("…"), "…"])(
    "that never was made (%s) is the page's own",
    (error) => {
      expect(functionError(error)).toMatchObject({ kind: "internal", transient: false });
    },
  );
});

describe("a reading", () => {
  const error = (message: string) => ({ message }) as Parameters<typeof queryError>[0];

  test.each([
    ["TypeError: Failed to fetch", "unreachable"],
    ["TimeoutError: signal timed out", "unreachable"],
    ["ReferenceError: x is not defined", "internal"],
  ] as const)("that ends in %s", (message, kind) => {
    expect(queryError(error(message), 0).kind).toBe(kind);
  });
});

test.each([
  [0, "offline"],
  [429, "busy"],
  [503, "down"],
] as const)("a form without an answer of its own, status %i, is %s", (status, why) => {
  expect(formRefusal({ status } as AuthError).why).toBe(why);
});
