/** Which way the sound takes: `?output=plain` forces elements by themselves. */

export type Output = "auto" | "web-audio" | "plain";

export function chosenOutput(search: string): Output {
  const asked = new URLSearchParams(search).get("output");
  return asked === "plain" || asked === "web-audio" ? asked : "auto";
}
