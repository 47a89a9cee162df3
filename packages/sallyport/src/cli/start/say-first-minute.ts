/** What `start` prints first: where things are, one line to paste for each client, and the next step. */
import type { UpstreamKind } from "@sallyport/protocol";
import type { FoundServer } from "./find-ollama.ts";
import type { FirstKey } from "./first-key.ts";
import type { Io } from "../terminal/io.ts";
import { printText } from "../terminal/print.ts";

/** The environment that the first minute shows. */
export interface Served {
  readonly environment: string;
  /** Of its first model server. */
  readonly url: string;
  readonly kind: UpstreamKind;
  /** Policy has nothing else, so one line can replace it. */
  readonly isAlone: boolean;
  /** The demo's environment is there, too: its keys would keep a policy without it from being applied. */
  readonly hasDemo: boolean;
}

export interface IgnoredHost extends Served {
  readonly wantedUrl: string;
}

/** Named where there is no model yet. */
export const USUAL_MODEL = "llama3.2";

export interface FirstMinute {
  readonly isNew: boolean;
  readonly withPractice: boolean;
  readonly found: FoundServer;
  /** OLLAMA_HOST names another server than the policy, which is the one in use. */
  readonly ignoredOllamaHost: IgnoredHost | undefined;
  readonly key: FirstKey;
  readonly model: string;
  readonly url: string;
  readonly directory: string;
  /** Opens the console once; undefined where no person reads this, and a log keeps it. */
  readonly consoleUrl: string | undefined;
}

export function sayFirstMinute(io: Io, minute: FirstMinute): void {
  const { isNew, key, model, url, directory, consoleUrl } = minute;
  const say = (text: string): void => printText(io, text);
  say("");
  say(isNew ? `created ${directory}` : `using   ${directory}`);
  say(`found   ${sayFound(minute)}`);
  for (const line of sayIgnoredHost(minute.ignoredOllamaHost)) say(line);
  say(`key     ${sayKey(key)}`);
  say(`console ${consoleUrl === undefined ? "npx sallyport console" : `${consoleUrl} (once, within five minutes)`}`);
  if (isNew) say("admin   `npx sallyport admin reset` creates the recovery admin key; store it offline");
  const shown = key.text ?? (key.file === undefined ? undefined : `$(cat ${key.file})`);
  if (shown === undefined) {
    say(`another npx sallyport keys create --env ${key.environment} --name NAME --role cli --model '*'`);
    say("");
    return;
  }
  const path = minute.found.kind === "openai" && !minute.withPractice ? "/v1/chat/completions" : "/api/chat";
  say("");
  say("Paste this into another terminal:");
  say("");
  say(
    `curl ${url}${path} -H "Authorization: Bearer ${shown}" -d '{"model":"${model}","messages":[{"role":"user","content":"Hello"}]}'`,
  );
  say("");
  say(`OpenAI clients      base URL ${url}/v1, the key as API key`);
  say(`Anthropic clients   base URL ${url}, the key as API key`);
  say(`Ollama libraries    host ${url}, header Authorization: Bearer KEY`);
  say("");
  say("next    create a key for each application:");
  say(`        npx sallyport keys create --env ${key.environment} --name my-app --role chatbot --model ${model}`);
  say("        check that clients cannot reach the model server directly:");
  say("        npx sallyport doctor");
  say("");
}

/** What is in use, and the one command that changes it. */
function sayIgnoredHost(ignored: IgnoredHost | undefined): string[] {
  if (ignored === undefined) return [];
  const { environment, url, wantedUrl, isAlone, hasDemo } = ignored;
  const demo = hasDemo ? ", practice: { upstreams: [] }" : "";
  const change = isAlone
    ? `echo 'environments: { ${environment}: { upstreams: [{ url: "${wantedUrl}" }] }${demo} }' | npx sallyport apply -f - --yes`
    : `change \`upstreams\` of ${environment} in your policy file, then npx sallyport apply -f FILE`;
  return [
    `note    OLLAMA_HOST is ${wantedUrl}, but ${environment} uses ${url}: Sallyport reads OLLAMA_HOST only when it creates the data directory`,
    `        to change it: ${change}`,
  ];
}

function sayFound({ found, withPractice }: FirstMinute): string {
  if (found.isThere && found.kind === "openai")
    return `a server of OpenAI's dialect at ${found.url}${found.chatModel === undefined ? ", which lists no models to the public" : ""}`;
  if (found.isThere)
    return `Ollama at ${found.url}${found.chatModel === undefined ? `, without a local chat model: run \`ollama pull ${USUAL_MODEL}\` first` : ""}`;
  const what = found.kind === "openai" ? "a server of OpenAI's dialect" : "Ollama";
  const instead = found.isOther ? `the server at ${found.url} is not ${what}` : `no ${what} at ${found.url}`;
  if (withPractice) return `${instead}: a demo model server runs in its place, in the environment \`practice\``;
  if (found.isOpenai)
    return `${instead}, but speaks OpenAI's dialect: write \`kind: openai\` at this upstream in the policy`;
  return found.isOther
    ? `${instead}: set OLLAMA_HOST to where it is, or name another upstream in the policy`
    : `${instead}: start it, or name another upstream in the policy`;
}

function sayKey({ id, environment, expiresAt, text, file, isLoopbackOnly }: FirstKey): string {
  const where = isLoopbackOnly ? ", accepted from this machine only" : "";
  const until = `environment ${environment}, expires ${expiresAt.slice(0, 10)}${where}`;
  if (text !== undefined) return `${text}\n        ${until}; not shown again`;
  if (file !== undefined) return `${id}, ${until}; stored in ${file}, readable only by you`;
  return `${id}, ${until}; created earlier and not shown again`;
}
