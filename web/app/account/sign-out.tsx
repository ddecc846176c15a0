/** Signing out. For an anonymous listener that means forgetting, so it is asked twice. */

import { useState } from "preact/hooks";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

export function SignOut() {
  const app = useApp();
  const { t } = app;
  const { listener } = app.state;
  const [sure, setSure] = useState(false);
  if (!listener) return null;
  if (!listener.anonymous) return <Bare words={t.runs.signOut} act={() => app.signOut()} />;
  if (!sure) return <Bare words={t.runs.forget} act={() => setSure(true)} />;
  return (
    <section class="ask" aria-label={t.runs.forget}>
      <p>{typeset(t.runs.forgetSure)}</p>
      <Bare words={t.runs.forgetNo} act={() => setSure(false)} />
      <Bare words={t.runs.forgetYes} act={() => app.signOut()} />
    </section>
  );
}

function Bare({ words, act }: { words: string; act: () => void }) {
  return (
    <button type="button" class="button bare" onClick={act}>
      {words}
    </button>
  );
}
