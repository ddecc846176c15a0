// Another team's page: what web/package/README.md says, and a button.
import { createClient } from "@supabase/supabase-js";
import { browserDecks, createPlayer, RunFeed, Runs, signer, systemClock } from "parcours-xl";
import bedUrl from "parcours-xl/bed.mp3?url";
import bedStartUrl from "parcours-xl/bed-start.mp3?url";

const project = new URLSearchParams(location.search);
const client = createClient(project.get("url") ?? "", project.get("key") ?? "");
const decks = browserDecks({ bedUrl, bedStartUrl });

const runs = new Runs(client);
const read = (runId: string) => runs.read(runId);
const lost = () => player.stop();
const feed = new RunFeed({ clock: systemClock, page: document, read, lost });
const player = createPlayer({ clock: systemClock, decks, feed, sign: signer(client) });

async function listen(): Promise<void> {
  player.start();
  await client.auth.signInAnonymously();
  const wish = { presetKey: "00-universel-reset", idempotencyKey: crypto.randomUUID() };
  const { runId } = await runs.create(wish);
  player.attach(runId);
  await runs.compose(runId);
}

const state = document.querySelector("output") as HTMLOutputElement;
player.subscribe((snapshot) => {
  state.textContent = snapshot.state;
});
document.querySelector("#listen")?.addEventListener("click", () => void listen());
document.querySelector("#stop")?.addEventListener("click", () => player.stop());
