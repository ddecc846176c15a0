/** The short form, one field at a time, where the project lets nobody in without a name. */

import { useState } from "preact/hooks";
import { useApp } from "../parts/app-context";
import { AccountForm } from "./account-form";

export function SignIn() {
  const app = useApp();
  const { t, state } = app;
  const [mode, setMode] = useState<"in" | "up">("in");
  const [sentTo, setSentTo] = useState<string | null>(null);
  const choice = app.preset(app.view.presetKey)?.title[state.language] ?? t.home.calmNow;
  const send = async (email: string, password: string) => {
    const { session } = await app.parts.backend;
    if (mode === "in") await session.signIn(email, password);
    else if ((await session.signUp(email, password)) === "confirm") {
      setSentTo(email);
      return setMode("in");
    }
    app.parts.journey.signedIn();
  };
  return (
    <div class="screen sign-in">
      <div class="light-space small" />
      <h1 class="title">{mode === "in" ? t.signIn.titleIn : t.signIn.titleUp}</h1>
      <AccountForm
        key={mode}
        why={sentTo ? t.signIn.confirm(sentTo) : t.signIn.why(choice)}
        password={mode === "in" ? t.signIn.passwordIn : t.signIn.passwordUp}
        autocomplete={mode === "in" ? "current-password" : "new-password"}
        submit={mode === "in" ? t.signIn.submitIn : t.signIn.submitUp}
        send={send}
      />
      <button
        type="button"
        class="button bare"
        onClick={() => setMode(mode === "in" ? "up" : "in")}
      >
        {mode === "in" ? t.signIn.toUp : t.signIn.toIn}
      </button>
    </div>
  );
}
