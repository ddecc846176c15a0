/** The short form, one field at a time, where the project lets nobody in without a name. */

import { useState } from "preact/hooks";
import { useApp } from "../parts/app-context";
import { AccountForm } from "./account-form";

export function SignIn() {
  const app = useApp();
  const { t, state } = app;
  const [way, setWay] = useState<"in" | "up">("in");
  const [sentTo, setSentTo] = useState<string | null>(null);
  const choice = app.preset(app.view.presetKey)?.title[state.language] ?? t.home.calmNow;
  const send = async (email: string, password: string) => {
    const { session } = await app.parts.backend;
    if (way === "in") await session.signIn(email, password);
    else if ((await session.signUp(email, password)) === "confirm") {
      setSentTo(email);
      return setWay("in");
    }
    app.parts.journey.signedIn();
  };
  return (
    <div class="screen sign-in">
      <div class="light-space small" />
      <h1 class="title">{way === "in" ? t.signIn.titleIn : t.signIn.titleUp}</h1>
      <AccountForm
        key={way}
        why={sentTo ? t.signIn.confirm(sentTo) : t.signIn.why(choice)}
        password={way === "in" ? t.signIn.passwordIn : t.signIn.passwordUp}
        autocomplete={way === "in" ? "current-password" : "new-password"}
        submit={way === "in" ? t.signIn.submitIn : t.signIn.submitUp}
        send={send}
      />
      <button type="button" class="button bare" onClick={() => setWay(way === "in" ? "up" : "in")}>
        {way === "in" ? t.signIn.toUp : t.signIn.toIn}
      </button>
    </div>
  );
}
