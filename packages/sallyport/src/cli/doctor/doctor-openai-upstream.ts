/** What `doctor` looks at of a model server that speaks OpenAI's dialect: its list of models, and names that no request can use. */
import { parseModelName } from "@sallyport/protocol";
import type { UpstreamView } from "@sallyport/contract";
import { fine, note, wrong } from "./finding.ts";
import type { Finding } from "./finding.ts";
import { PROBE_MS } from "./probe.ts";

const NAMES_MAX = 10;

/** The ids in the server's list, or the status it answered with in place of one. Throws where it cannot be reached. */
export async function readModelIds(url: string): Promise<readonly string[] | number> {
  const { request } = await import("undici");
  const answer = await request(`${url}/v1/models`, { headersTimeout: PROBE_MS, bodyTimeout: PROBE_MS });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) return answer.statusCode;
  try {
    const { data } = JSON.parse(text) as { data?: { id?: unknown }[] };
    if (!Array.isArray(data)) return answer.statusCode;
    return data.map((entry) => entry?.id).filter((id): id is string => typeof id === "string");
  } catch {
    return answer.statusCode;
  }
}

export async function checkOpenaiUpstream(upstream: UpstreamView): Promise<Finding[]> {
  const { environment, id, url, kind } = upstream;
  const check = `upstream ${environment}/${id}`;
  let ids: readonly string[] | number;
  try {
    ids = await readModelIds(url);
  } catch (failure) {
    const why = failure instanceof Error ? failure.message || failure.name : String(failure);
    return [
      wrong(
        check,
        "upstream_unreachable",
        `${url} cannot be reached: ${why}`,
        "start it, or correct the environment's upstream",
      ),
    ];
  }
  if (ids === 401 || ids === 403) return [checkCredential(upstream, check)];
  if (typeof ids === "number")
    return [
      wrong(
        check,
        "upstream_unlisted",
        `${url} answers GET /v1/models with ${ids} and without a list: nothing is sent to it`,
        "check the environment's `upstreams`, and the `kind` of this one",
      ),
    ];
  return [fine(check, "upstream", `${url} (${kind}) lists ${ids.length} models`), ...checkNames(upstream, ids)];
}

function checkCredential({ environment, id, url }: UpstreamView, check: string): Finding {
  return note(
    check,
    "upstream_credential",
    `${url} asks for a credential, which doctor does not have`,
    `if requests fail, store one: sallyport upstreams credential set ${environment}/${id}`,
  );
}

/** Names such as paths of files: a request cannot name them, and policy cannot grant them. */
function checkNames({ environment, id, kind }: UpstreamView, ids: readonly string[]): Finding[] {
  const strange = ids.filter((name) => parseModelName(name) === undefined);
  if (strange.length === 0) return [];
  const shown = strange.slice(0, NAMES_MAX).map((name) => JSON.stringify(name.slice(0, 80)));
  const option = kind === "llama.cpp" ? "--alias NAME" : "another name (vLLM: --served-model-name NAME)";
  return [
    note(
      `models ${environment}/${id}`,
      "model_names_unusable",
      `no request can name ${shown.join(", ")}${strange.length > NAMES_MAX ? ` and ${strange.length - NAMES_MAX} more` : ""}`,
      `start the server with ${option}`,
    ),
  ];
}
