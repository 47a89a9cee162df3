/**
 * People without a provider, at the gateway's own forms. Each form is good for one answer of the browser it was shown in;
 * what was wrong is said on the next one.
 */
import { isRefusal, problems, refuse } from "@sallyport/protocol";
import type { Refusal } from "@sallyport/protocol";
import { LoginAttempts } from "../../identity/login-attempts.ts";
import type { BegunEnrolment, Enrolment } from "../../identity/local/enrolment.ts";
import { otpUri } from "../../identity/local/one-time-code.ts";
import { normalizePassword } from "../../identity/local/password.ts";
import type { Proof } from "../../identity/local/proof.ts";
import type { Clock } from "../../kernel/clock.ts";
import { randomBase62 } from "../../kernel/ids.ts";
import type { Exchange } from "../exchange.ts";
import type { Form } from "../oauth/form.ts";
import type { PublicAddress } from "../public-address.ts";
import { BrowserCookie } from "./browser-cookie.ts";
import { handOver } from "./hand-over.ts";
import type { HandOverPorts, WaitingProgram } from "./hand-over.ts";
import { authenticatorPage, enrolPage, localPage } from "./local-pages.ts";
import { sentencePage, writePage } from "./page.ts";
import type { LoginPage } from "./page.ts";
import { readLoginForm } from "./read-login-form.ts";

export interface LocalDeskPorts extends HandOverPorts {
  readonly clock: Clock;
  readonly address: PublicAddress;
  readonly proof: Proof;
  readonly enrolment: Enrolment;
}

export class LocalDesk {
  readonly #ports: LocalDeskPorts;
  readonly #cookie: BrowserCookie;
  readonly #waiting: LoginAttempts<WaitingProgram>;
  readonly #begun: LoginAttempts<BegunEnrolment>;

  constructor(ports: LocalDeskPorts) {
    this.#ports = ports;
    this.#cookie = new BrowserCookie("sallyport_local", "/login", "Strict", ports.address);
    this.#waiting = new LoginAttempts(ports.clock);
    this.#begun = new LoginAttempts(ports.clock);
  }

  /** The form, for a program that waits. */
  ask(exchange: Exchange, program: WaitingProgram, refusal: Refusal | null = null): Refusal | undefined {
    return this.#show(exchange, this.#waiting, program, refusal, (state, said) => localPage(state, said));
  }

  /** What was written into it. */
  async answer(exchange: Exchange): Promise<Refusal | undefined> {
    const form = readLoginForm(exchange, this.#ports.address);
    if (isRefusal(form)) return form;
    const program = this.#taken(exchange, form, this.#waiting);
    // No work for strangers: without a waiting program there is no guessing.
    if (!program || !this.#ports.grants.find(program.environment, program.userCode)) return refuse("login_expired");
    const said = {
      name: form.get("name") ?? "",
      password: normalizePassword(form.get("password") ?? ""),
      code: form.get("code") ?? "",
    };
    const proven = await this.#ports.proof.prove(said, exchange.address);
    if (isRefusal(proven)) return this.#again(exchange, proven, () => this.ask(exchange, program, proven));
    return handOver(exchange, this.#ports, program, proven.who, proven.isStill);
  }

  async enrol(exchange: Exchange): Promise<Refusal | undefined> {
    if (exchange.request.method !== "POST") {
      writePage(exchange, 200, enrolPage(null));
      return undefined;
    }
    const form = readLoginForm(exchange, this.#ports.address);
    if (isRefusal(form)) return form;
    return form.has("state") ? this.#finish(exchange, form) : this.#begin(exchange, form);
  }

  async #begin(exchange: Exchange, form: Form): Promise<Refusal | undefined> {
    const password = normalizePassword(form.get("password") ?? "");
    const isSame = password.reveal() === normalizePassword(form.get("again") ?? "").reveal();
    const begun = isSame
      ? await this.#ports.enrolment.begin(form.get("invitation") ?? "", password)
      : refuse("password_unfit", "it was written in two ways");
    if (!isRefusal(begun)) return this.#authenticator(exchange, begun, null);
    return this.#again(exchange, begun, () => {
      writePage(exchange, problems[begun.code].status, enrolPage(sentenceOf(begun)));
      return undefined;
    });
  }

  async #finish(exchange: Exchange, form: Form): Promise<Refusal | undefined> {
    const begun = this.#taken(exchange, form, this.#begun);
    if (!begun) return refuse("login_expired");
    const person = await this.#ports.enrolment.finish(begun, form.get("code") ?? "", exchange.address);
    if (!isRefusal(person)) {
      const sentence = "Your password and your authenticator are set. Run <code>sallyport login</code> again.";
      writePage(exchange, 200, sentencePage(`Welcome, ${person.name}`, sentence));
      return undefined;
    }
    if (person.code !== "login_wrong") return person;
    return this.#again(exchange, person, () => this.#authenticator(exchange, begun, person));
  }

  #authenticator(exchange: Exchange, begun: BegunEnrolment, refusal: Refusal | null): Refusal | undefined {
    const uri = otpUri(begun.otp, begun.name);
    return this.#show(exchange, this.#begun, begun, refusal, (state, said) =>
      authenticatorPage({ state, secret: begun.otp, uri }, said),
    );
  }

  /** A page that may be answered once, by this browser. */
  #show<T extends object>(
    exchange: Exchange,
    kept: LoginAttempts<T>,
    attempt: T,
    refusal: Refusal | null,
    page: (state: string, said: string | null) => LoginPage,
  ): Refusal | undefined {
    const state = randomBase62(43);
    const cookie = this.#cookie.make();
    kept.keep(state, attempt, cookie.value, exchange.address);
    const status = refusal ? problems[refusal.code].status : 200;
    const more = refusal?.retryAfterSeconds === undefined ? [] : ["retry-after", String(refusal.retryAfterSeconds)];
    writePage(
      exchange,
      status,
      page(state, refusal && sentenceOf(refusal)),
      [],
      ["set-cookie", cookie.header, ...more],
    );
    return undefined;
  }

  #taken<T extends object>(exchange: Exchange, form: Form, kept: LoginAttempts<T>): T | undefined {
    const cookie = this.#cookie.read(exchange);
    const state = form.get("state");
    return cookie === undefined || state === undefined ? undefined : kept.take(state, cookie);
  }

  /** Recorded as the denial it is, while the user sees a form to correct it. */
  #again(exchange: Exchange, refusal: Refusal, show: () => Refusal | undefined): Refusal | undefined {
    const other = show();
    if (other === undefined) exchange.refusal = refusal;
    return other;
  }
}

function sentenceOf({ code, detail, retryAfterSeconds }: Refusal): string {
  const { title, remedy } = problems[code];
  const wait = retryAfterSeconds === undefined ? "" : ` (${retryAfterSeconds} s)`;
  return `${title[0]!.toUpperCase()}${title.slice(1)}: ${detail ?? remedy}${wait}.`;
}
