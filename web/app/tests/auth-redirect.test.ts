// @vitest-environment happy-dom
import { beforeEach, expect, test } from "vitest";
import { takeAuthRedirect } from "../account/auth-redirect";

beforeEach(() => history.replaceState(null, "", "/?output=plain"));

test("tokens are taken out of the address, and stay in no entry of its history", () => {
  const entries = history.length;
  history.replaceState(null, "", "/?output=plain#access_token=a&refresh_token=r&type=signup");
  expect(takeAuthRedirect()).toEqual({
    tokens: { accessToken: "a", refreshToken: "r" },
    refused: false,
  });
  expect([location.hash, location.search, history.length]).toEqual(["", "?output=plain", entries]);
});

test("a link that was used before is known", () => {
  history.replaceState(null, "", "/#error=access_denied&error_code=otp_expired");
  expect(takeAuthRedirect()).toEqual({ tokens: null, refused: true });
  expect(location.hash).toBe("");
});

test("a screen's own address stays", () => {
  history.replaceState(null, "", "/#card/01-panique-anxiete");
  expect(takeAuthRedirect()).toEqual({ tokens: null, refused: false });
  expect(location.hash).toBe("#card/01-panique-anxiete");
});
