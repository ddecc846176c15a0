/** One of the screens that are loaded after the first tap; until it is there, a word. */

import type { LaterScreens } from "../app";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

export function Later({ name }: { name: keyof LaterScreens }) {
  const { state, t } = useApp();
  const Screen = state.later?.[name];
  return Screen ? <Screen /> : <p class="screen quiet">{typeset(t.page.loading)}</p>;
}
