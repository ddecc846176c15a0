/** An address, then a password. Paste and password managers work; nothing is cleared on error. */

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { type Refusal, SignInRefused } from "../../supabase/service-error";
import type { Dictionary } from "../i18n/language";
import { useApp } from "../parts/app-context";
import { typeset } from "../parts/typeset";

/** What is wrong with the form: found here, before anything is sent, or said by the service. */
type Fault = Refusal | "no-email" | "no-password" | "internal";

interface AccountFormProps {
  /** Said with the first field only. */
  readonly why: string;
  readonly password: string;
  readonly autocomplete: "current-password" | "new-password";
  readonly submit: string;
  readonly send: (email: string, password: string) => Promise<void>;
}

export function AccountForm(props: AccountFormProps) {
  const app = useApp();
  const { t } = app;
  const [asked, setAsked] = useState<"email" | "password">("email");
  const [email, setEmail] = useState("");
  const [fault, setFault] = useState<Fault | null>(null);
  const error = useId();
  const [sending, setSending] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    if (sending) return;
    const form = event.currentTarget as HTMLFormElement;
    const { email, password } = fields(form);
    setEmail(email);
    const found = faultIn(form, asked);
    setFault(found);
    if (found) return;
    // A password manager fills both at once: then one tap is enough.
    if (asked === "email" && !password) return setAsked("password");
    setSending(true);
    try {
      await props.send(email, password);
    } catch (reason) {
      setFault(reason instanceof SignInRefused ? reason.why : "internal");
      app.parts.onInternalError(reason);
    }
    setSending(false);
  };
  return (
    // The browser's own messages speak the browser's language, not the page's.
    <form class="account" noValidate onSubmit={submit}>
      {fault && (
        <p id={error} class="refused" role="alert">
          {typeset(faultWords(fault, t))}
        </p>
      )}
      {asked === "email" && <p>{typeset(props.why)}</p>}
      <Email asked={asked === "email"} fault={fault} error={error} />
      {asked === "password" && (
        <p class="given">
          <span>{email}</span>
          <button type="button" class="button bare" onClick={() => setAsked("email")}>
            {t.signIn.change}
          </button>
        </p>
      )}
      <Password {...props} asked={asked === "password"} fault={fault} error={error} />
      <button type="submit" class="button solid wide" aria-disabled={sending}>
        {asked === "email" ? t.signIn.next : props.submit}
      </button>
    </form>
  );
}

interface FieldProps {
  readonly asked: boolean;
  readonly fault: Fault | null;
  /** The id of the message that says what is wrong. */
  readonly error: string;
}

/** Both fields are always there, so that a password manager sees a whole form. */
function Email({ asked, fault, error }: FieldProps) {
  const { t } = useApp();
  const { id, input } = useField(asked, fault);
  return (
    <div class={asked ? "field" : "field set-aside"}>
      <label for={id}>{t.signIn.email}</label>
      <input
        ref={input}
        id={id}
        name="email"
        type="email"
        autocomplete="username"
        {...fieldState(asked, fault, error)}
      />
    </div>
  );
}

function Password(props: FieldProps & Pick<AccountFormProps, "password" | "autocomplete">) {
  const { asked, fault, error, password, autocomplete } = props;
  const { t } = useApp();
  const { id, input } = useField(asked, fault);
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
        {...fieldState(asked, fault, error)}
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

function useField(asked: boolean, fault: Fault | null) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (asked) input.current?.focus();
  }, [asked, fault]);
  return { id, input };
}

function fieldState(asked: boolean, fault: Fault | null, error: string) {
  return {
    required: asked,
    tabIndex: asked ? 0 : -1,
    "aria-hidden": !asked,
    "aria-invalid": asked && fault !== null,
    ...(asked && fault !== null ? { "aria-describedby": error } : {}),
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

/** What is missing in the field that is asked for, or no address at all. */
function faultIn(form: HTMLFormElement, asked: "email" | "password"): Fault | null {
  const { email, password } = fields(form);
  if (asked === "password") return password ? null : "no-password";
  if (!email) return "no-email";
  const input = form.elements.namedItem("email") as HTMLInputElement;
  return input.validity.typeMismatch ? "email" : null;
}

function faultWords(fault: Fault, { errors }: Dictionary): string {
  const words: Readonly<Record<Fault, string>> = {
    "no-email": errors.signInNoEmail,
    "no-password": errors.signInNoPassword,
    wrong: errors.signInRefused,
    unconfirmed: errors.signInUnconfirmed,
    taken: errors.signInTaken,
    weak: errors.signInWeak,
    long: errors.signInLong,
    email: errors.signInEmail,
    closed: errors.signInClosed,
    busy: errors.signInBusy,
    refused: errors.signInNotAccepted,
    offline: errors.offline,
    down: errors.service,
    internal: errors.page,
  };
  return words[fault];
}
