/** Chooses the audio output: `?output=plain` forces plain audio elements. */

export type Output = "auto" | "web-audio" | "plain";

/** Some devices leave the volume to their buttons: an element there does not keep what it is told. */
export function canSetVolume(probe: HTMLMediaElement = new Audio()): boolean {
  probe.volume = 0.5;
  return probe.volume === 0.5 || "audioSession" in navigator;
}

export function chosenOutput(search: string): Output {
  const asked = new URLSearchParams(search).get("output");
  return asked === "plain" || asked === "web-audio" ? asked : "auto";
}
