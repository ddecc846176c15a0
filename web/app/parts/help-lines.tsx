/** Numbers of one country, in the two kinds that must not be mixed up. */

import { addressOf, helpFor, isChecked, type Line, REVIEWED } from "../help";
import { helpFirst } from "../journey/ratings";
import { useApp } from "./app-context";

/** Somebody who said that it is hard finds the one who listens first, the doctors second. */
export function HelpLines() {
  const { state, t, view } = useApp();
  const { emergency, distress } = helpFor(state.country);
  const kinds = [
    <Kind key="emergency" title={t.help.emergency} lines={emergency} />,
    <Kind key="distress" title={t.help.distress} lines={distress} />,
  ];
  return <>{helpFirst(view.ratings) ? kinds.reverse() : kinds}</>;
}

function Kind({ title, lines }: { title: string; lines: readonly Line[] }) {
  const { state, t } = useApp();
  const reviewed = new Date(`${REVIEWED}T12:00:00Z`).toLocaleDateString(
    state.language === "fr" ? "fr-FR" : "en-GB",
    { dateStyle: "long" },
  );
  return (
    <section class="help-kind">
      <h3>{title}</h3>
      <ul>
        {lines.map((line) => (
          <li key={line.number}>
            <HelpLine line={line} />
          </li>
        ))}
      </ul>
      {isChecked(lines) && <p class="quiet reviewed">{t.help.reviewed(reviewed, lines.length)}</p>}
    </section>
  );
}

function HelpLine({ line }: { line: Line }) {
  const { state, t } = useApp();
  const words = { call: t.help.call, sms: t.help.text, web: t.help.visit }[line.by];
  const away = line.by === "web" ? { target: "_blank", rel: "noreferrer" } : {};
  return (
    <a class="help-line" href={addressOf(line)} {...away}>
      <span class="help-words">{words(line.number)}</span>
      <span class="quiet">{line.note[state.language]}</span>
    </a>
  );
}
