/** How hard it is: at the start, and from the middle on. */

import { isPlaying } from "../journey/journey-view";
import { useApp } from "./app-context";
import { IntensityChoice } from "./intensity";
import { Scale } from "./scale";

/** From this part of a journey on, it is the middle that is asked about. */
const MIDDLE = 0.4;

export function Rating() {
  const { t, view } = useApp();
  const { journeySeconds, totalSeconds } = view.sound;
  const half = isPlaying(view.phase) && totalSeconds > 0 && journeySeconds / totalSeconds >= MIDDLE;
  if (half) return <Scale moment="suds_mid" question={t.suds.middle} />;
  return (
    <>
      <Scale moment="suds_start" question={t.suds.start} />
      <IntensityChoice note={t.intensity.kept} />
    </>
  );
}
