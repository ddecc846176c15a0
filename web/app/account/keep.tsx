/** An anonymous listener keeps their journeys: an address and a password, and nothing else. */

import { useState } from "preact/hooks";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";
import { AccountForm } from "./account-form";

export function Keep() {
  const app = useApp();
  const { t } = app;
  const [outcome, setOutcome] = useState<string | null>(null);
  const send = async (email: string, password: string) => {
    const { session } = await app.parts.backend;
    const kept = await session.keep(email, password);
    setOutcome(kept === "kept" ? t.keep.done : t.keep.confirm(email));
  };
  return (
    <div class="screen keep">
      <div class="light-space small" />
      <h1 class="title">{t.keep.title}</h1>
      {outcome ? (
        <p role="status">{typeset(outcome)}</p>
      ) : (
        <AccountForm
          why={`${t.keep.browserOnly} ${t.keep.why}`}
          password={t.signIn.passwordUp}
          autocomplete="new-password"
          submit={t.keep.submit}
          send={send}
        />
      )}
      <a class="button bare" href="#runs">
        {t.home.runs}
      </a>
    </div>
  );
}
