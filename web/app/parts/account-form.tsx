/** An address, then a password. Paste and password managers work; nothing is cleared on error. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type Refusal, SignInRefused } from "../../supabase/trouble";
import type { Dictionary } from "../i18n/language";
import { useApp } from "./app-context";
import { typeset } from "./typeset";

interface AccountFormProps {
  /** Said with the first field only. */
  readonly why: string;
  readonly password: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly submit: string;
  readonly send: (email: string, password: string) => Promise<void>;
}

export function AccountForm(props: AccountFormProps) {
  const { t } = useApp();
  const [asked, setAsked] = useState<"email" | "password">("email");
  const [email, setEmail] = useState("");
  const [refused, setRefused] = useState<Refusal | null>(null);
  const [sending, setSending] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (sending) return;
    const { email, password } = fields(event.currentTarget as HTMLFormElement);
    setEmail(email);
    // A password manager fills both at once: then one tap is enough.
    if (asked === "email" && !password) return setAsked("password");
    setSending(true);
    setRefused(null);
    try {
      await props.send(email, password);
    } catch (error) {
      setRefused(error instanceof SignInRefused ? error.why : "down");
    }
    setSending(false);
  };
  return (
    <form class="account" onSubmit={submit}>
      {refused && (
        <p class="refused" role="alert">
          {typeset(refusalWords(refused, t))}
        </p>
      )}
      {asked === "email" && <p>{typeset(props.why)}</p>}
      <Email asked={asked === "email"} refused={refused} />
      {asked === "password" && (
        <p class="given">
          <span>{email}</span>
          <button type="button" class="button bare" onClick={() => setAsked("email")}>
            {t.signIn.change}
          </button>
        </p>
      )}
      <Password {...props} asked={asked === "password"} refused={refused} />
      <button type="submit" class="button line strong wide" aria-disabled={sending}>
        {asked === "email" ? t.signIn.next : props.submit}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly asked: boolean;
  readonly refused: Refusal | null;
}

/** Both fields are always there, so that a password manager sees a whole form. */
function Email({ asked, refused }: FieldProps) {
  const { t } = useApp();
  const { id, input } = useField(asked, refused);
  return (
    <div class={asked ? "field" : "field set-aside"}>
      <label for={id}>{t.signIn.email}</label>
      <input
        ref={input}
        id={id}
        name="email"
        type="email"
        autocomplete="username"
        {...fieldState(asked, refused)}
      />
    </div>
  );
}

function Password(props: FieldProps & Pick<AccountFormProps, "password" | "autocomplete">) {
  const { asked, refused, password, autocomplete } = props;
  const { t } = useApp();
  const { id, input } = useField(asked, refused);
  const show = (event: Event) => {
    const { checked } = event.currentTarget as HTMLInputElement;
    if (input.current) input.current.type = checked ? "text" : "password";
  };
  return (
    <div class={asked ? "field" : "field set-aside"}>
      <label for={id}>{password}</label>
      <input
        ref={input}
        id={id}
        name="password"
        type="password"
        autocomplete={autocomplete}
        {...fieldState(asked, refused)}
      />
      {asked && (
        <label class="tick">
          <input type="checkbox" onChange={show} />
          <span>{t.signIn.show}</span>
        </label>
      )}
    </div>
  );
}

function useField(asked: boolean, refused: Refusal | null) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (asked) input.current?.focus();
  }, [asked, refused]);
  return { id, input };
}

function fieldState(asked: boolean, refused: Refusal | null) {
  return {
    required: asked,
    tabIndex: asked ? 0 : -1,
    "aria-hidden": !asked,
    "aria-invalid": asked && refused !== null,
    spellcheck: false,
    autocapitalize: "none",
  } as const;
}

function fields(form: HTMLFormElement): { email: string; password: string } {
  const data = new FormData(form);
  return {
    email: String(data.get("email") ?? "").trim(),
    password: String(data.get("password") ?? ""),
  };
}

function refusalWords(refused: Refusal, { trouble }: Dictionary): string {
  const words: Readonly<Record<Refusal, string>> = {
    wrong: trouble.signInRefused,
    unconfirmed: trouble.signInUnconfirmed,
    taken: trouble.signInTaken,
    weak: trouble.signInWeak,
    email: trouble.signInEmail,
    closed: trouble.signInClosed,
    busy: trouble.signInBusy,
    down: trouble.service,
  };
  return words[refused];
}
