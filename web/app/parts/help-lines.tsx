/** Numbers of one country, in the two kinds that must not be mixed up. */

import { addressOf, type CountryHelp, type Line } from "../help";
import { useApp } from "./app-context";

export function HelpLines({ help }: { help: CountryHelp }) {
  const { t } = useApp();
  return (
    <>
      <Kind title={t.help.emergency} lines={help.emergency} />
      <Kind title={t.help.distress} lines={help.distress} />
    </>
  );
}

export function Kind({ title, lines }: { title: string; lines: readonly Line[] }) {
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
