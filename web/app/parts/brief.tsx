/** The words written for this run. They are French, whatever the page speaks. */

import { useApp } from "./app-context";

export function Brief() {
  const { brief } = useApp().view;
  return (
    <p class="brief" lang="fr">
      {brief}
    </p>
  );
}
