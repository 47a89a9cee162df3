/**
 * Where the model runs, asked of the model server: what is decided is what the server will do, not what the name looks
 * like. A local-looking name that stands for a remote model is judged as a cloud model from here on.
 */
import { refuse } from "@sallyport/protocol";
import type { ModelName, Refusal } from "@sallyport/protocol";
import type { Demand } from "../../access/demand.ts";
import type { Exchange } from "../exchange.ts";
import type { Stage } from "../pipeline.ts";
import type { ModelOrigins, ModelOrigin } from "../upstream/model-origins.ts";
import type { UpstreamPools } from "../upstream/pool.ts";
import type { Upstream } from "../upstream/upstream.ts";

export interface LocateModelPorts {
  readonly pools: UpstreamPools;
  readonly origins: ModelOrigins;
}

export function makeLocateModel({ pools, origins }: LocateModelPorts): Stage {
  return function locateModel(exchange) {
    const { model, demands } = exchange.understood!;
    exchange.demands = demands;
    const upstreams = pools.of(exchange.key!.environment);
    if (demands.some(changesModels)) origins.noteChange(upstreams);
    if (exchange.endpoint!.filter === "v1-models" && areDifferent(upstreams))
      return origins.learnAll(upstreams).then(() => undefined);
    if (model === null || !demands.some(runsModel)) return undefined;
    if (model.source === "cloud") {
      exchange.isRemoteModel = true;
      return undefined;
    }
    if (upstreams.length === 0) return undefined;
    const origin = origins.originOnAny(upstreams, model.key);
    return origin instanceof Promise ? origin.then((located) => settle(exchange, located)) : settle(exchange, origin);
  };
}

/** Each serves what it lists: what all of them have is in no one's list. */
function areDifferent(upstreams: readonly Upstream[]): boolean {
  return upstreams.length > 1 && upstreams.some(({ kind }) => kind !== "ollama");
}

/**
 * The same for the chosen server, before the prompt goes there: the request may have waited, and another server may
 * have been asked. A denial if it would leave the machine without the permission, or if the server cannot be asked.
 */
export function refuseElsewhere(
  exchange: Exchange,
  upstream: Upstream,
  origins: ModelOrigins,
): Refusal | undefined | Promise<Refusal | undefined> {
  const { model, demands } = exchange.understood!;
  if (model === null || exchange.isRemoteModel || !demands.some(runsModel)) return undefined;
  const origin = origins.originNow(upstream, model.key);
  return origin instanceof Promise ? origin.then(refusalOf) : refusalOf(origin);
}

function refusalOf(origin: ModelOrigin): Refusal | undefined {
  return REFUSALS[origin];
}

/** One for all: they carry nothing of a request. */
const REFUSALS: Readonly<Record<ModelOrigin, Refusal | undefined>> = {
  here: undefined,
  elsewhere: refuse("cloud_denied"),
  absent: refuse("model_not_served"),
  unlisted: refuse("upstream_unlisted"),
  unknown: refuse("upstream_unreachable"),
};

/** Where no server has the model or could be asked, the forwarding says so: by then it is known what the caller may. */
function settle(exchange: Exchange, origin: ModelOrigin): undefined {
  if (origin !== "elsewhere") return undefined;
  exchange.isRemoteModel = true;
  exchange.demands = remoteDemands(exchange.understood!.demands);
  return undefined;
}

/** What is demanded of a local name, demanded of the cloud model that it stands for, and the right to go there. */
export function remoteDemands(demands: readonly Demand[]): readonly Demand[] {
  const all: Demand[] = [];
  for (const demand of demands) {
    if (demand.model === null || !runsModel(demand)) {
      all.push(demand);
      continue;
    }
    const model = inCloud(demand.model);
    all.push({ ...demand, model }, { permission: "cloud:infer", model, field: demand.field });
  }
  return all;
}

function inCloud(model: ModelName): ModelName {
  return { ...model, source: "cloud", key: `cloud:${model.key}` };
}

/** Prompts reach the model, or it is made ready for them. */
export function runsModel({ permission }: Demand): boolean {
  return permission.startsWith("infer:") || permission === "runtime:load" || permission === "debug:render";
}

/** What a name stands for may be another thing afterwards. */
export function changesModels({ permission }: Demand): boolean {
  return CHANGING.has(permission);
}

const CHANGING: ReadonlySet<string> = new Set(["models:create", "models:copy", "models:pull", "models:delete"]);
