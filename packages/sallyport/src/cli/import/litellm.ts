/**
 * LiteLLM's `config.yaml`: its model list becomes the models of one key, which stands for the master key. Virtual keys
 * are in LiteLLM's database, not in this file.
 */
import { readYaml } from "../../kernel/yaml.ts";
import type { YamlPath, YamlRead } from "../../kernel/yaml.ts";
import { shorten, SourceFindings } from "./source-read.ts";
import type { SourceRead } from "./source-read.ts";

/** YAML takes more memory than the other formats; a thousand models fit. */
const YAML_LENGTH_MAX = 256 * 1024;
const KEY_NAME = "litellm";
/** LiteLLM's names for Ollama, before the `/` of a model. */
const OLLAMA = new Set(["ollama", "ollama_chat"]);
const MODEL_PARAMS = new Set(["model", "api_base", "api_key"]);
const SECTIONS: Readonly<Record<string, string>> = {
  litellm_settings: "these are settings of LiteLLM's router and logging",
  router_settings: "Sallyport balances the model servers of an environment by itself",
  environment_variables: "Sallyport reads its settings from sallyport.yaml",
  include: "included files are not read: import that file separately",
};

export function readLiteLlm(text: string): SourceRead {
  const findings = new SourceFindings();
  if (text.length > YAML_LENGTH_MAX) {
    findings.reject(1, "the file is larger than 256 KiB");
    return findings.result();
  }
  const yaml = readYaml(text);
  for (const mistake of yaml.mistakes) findings.reject(lineIn(mistake), safeMessage(mistake));
  const lineOf = (path: YamlPath): number => lineIn(yaml.place(path));
  if (findings.isRejected) return findings.result();
  const root = yaml.value;
  if (!isMap(root) || !Array.isArray(root["model_list"])) {
    findings.reject(1, "expected a `model_list`");
    return findings.result();
  }
  const models = new Set<string>();
  for (const [at, entry] of root["model_list"].entries()) {
    const model = readModel(entry, lineOf(["model_list", at]), findings);
    if (model !== undefined) models.add(model);
  }
  readGeneralSettings(root["general_settings"], lineOf, findings);
  for (const name of Object.keys(root))
    if (name !== "model_list" && name !== "general_settings")
      findings.leaveOut(lineOf([name]), shorten(name), SECTIONS[name] ?? "this section has no counterpart");
  findings.leaveOut(null, "virtual keys", "LiteLLM keeps them in its database: create a key for each application");
  if (models.size > 0) findings.addKey(keyLine(root, yaml), KEY_NAME, { models: [...models] });
  else findings.leaveOut(null, "master key", "the file names no Ollama model, so there is nothing to grant");
  return findings.result();
}

/** The selector of one entry of the list, or undefined where it is not a model of Ollama. */
function readModel(entry: unknown, line: number, findings: SourceFindings): string | undefined {
  const params = isMap(entry) ? entry["litellm_params"] : undefined;
  if (
    !isMap(entry) ||
    typeof entry["model_name"] !== "string" ||
    !isMap(params) ||
    typeof params["model"] !== "string"
  ) {
    findings.reject(line, "expected `model_name` and `litellm_params` with a `model`");
    return undefined;
  }
  const alias = entry["model_name"];
  const slash = params["model"].indexOf("/");
  const provider = slash < 0 ? "" : params["model"].slice(0, slash);
  if (!OLLAMA.has(provider)) {
    findings.leaveOut(
      line,
      `model ${shorten(alias)}`,
      "its provider is not Ollama: if it is a local server, add it to the policy's upstreams (`kind: openai`) and name the model with `keys create --model`",
    );
    return undefined;
  }
  const model = params["model"].slice(slash + 1);
  if (alias !== model && alias !== params["model"])
    findings.leaveOut(
      line,
      `name ${shorten(alias)}`,
      `Sallyport has no aliases: clients must request ${shorten(model)}`,
    );
  if (params["api_base"] !== undefined)
    findings.leaveOut(
      line,
      `api_base of ${shorten(alias)}`,
      "add the model server to the environment's upstreams in the policy",
    );
  const rest = Object.keys(params).filter((name) => !MODEL_PARAMS.has(name));
  if (rest.length > 0)
    findings.leaveOut(
      line,
      `${rest.slice(0, 8).map(shorten).join(", ")} of ${shorten(alias)}`,
      "set limits on the key or in a role",
    );
  return model;
}

function readGeneralSettings(settings: unknown, lineOf: (path: YamlPath) => number, findings: SourceFindings): void {
  if (settings === undefined || settings === null) return;
  if (!isMap(settings)) return findings.reject(lineOf(["general_settings"]), "`general_settings` is not a map");
  for (const name of Object.keys(settings))
    if (name !== "master_key")
      findings.leaveOut(lineOf(["general_settings", name]), shorten(name), "this setting has no counterpart");
}

function keyLine(root: Readonly<Record<string, unknown>>, yaml: YamlRead): number {
  const settings = root["general_settings"];
  const hasMasterKey = isMap(settings) && settings["master_key"] !== undefined;
  return lineIn(yaml.place(hasMasterKey ? ["general_settings", "master_key"] : ["model_list"]));
}

/** The `line:column` that a place or a mistake begins with. */
function lineIn(place: string): number {
  return Number(place.split(":", 1)[0]);
}

/** The library quotes the text after a colon, and that may be a credential. */
function safeMessage(mistake: string): string {
  const message = mistake.slice(mistake.indexOf(" ") + 1);
  return message.split(":", 1)[0]!;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
