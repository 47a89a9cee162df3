/** Which reader an answer gets: by the endpoint's row, the status and the content type, and by nothing the caller says. */
import { isHeld, maySee } from "../../access/decide.ts";
import type { Exchange } from "../exchange.ts";
import type { Answer } from "./answer.ts";
import { CollectedAnswer } from "./collected.ts";
import { NativeObject, NativeStream } from "./native-stream.ts";
import type { AnswerRights } from "./native-stream.ts";
import { OpenaiStream } from "./openai-stream.ts";
import { filterModelIds, filterModels, onlyAnObject, redactShow } from "./rewrites.ts";
import { AnthropicStream, ResponsesStream } from "./typed-event-stream.ts";
import { rewriteError } from "./upstream-error.ts";
import { WholeObject } from "./whole-object.ts";

export function readAnswer(exchange: Exchange, status: number, contentType: string): Answer {
  const endpoint = exchange.endpoint!;
  const right = exchange.right!;
  // A HEAD has no body to look at, whatever its status.
  if (exchange.request.method === "HEAD") return new WholeObject();
  if (status >= 400) return new CollectedAnswer(rewriteError);
  switch (endpoint.filter) {
    case "tags":
    case "ps":
      return new CollectedAnswer(filterModels((model) => maySee(right, model)));
    case "v1-models":
      return new CollectedAnswer(filterModelIds((model) => maySee(right, model), namesOfOthers(exchange)));
    case "show":
      return new CollectedAnswer(redactShow(isHeld(right, "models:show-private", exchange.understood!.model)));
    case "v1-model":
      return new CollectedAnswer(onlyAnObject);
    case "none":
      break;
  }
  if (contentType === "application/x-ndjson")
    return new NativeStream(endpoint.metering === "native-progress", answerRights(exchange));
  if (contentType === "text/event-stream") {
    if (endpoint.metering === "anthropic") return new AnthropicStream();
    if (endpoint.metering === "openai-responses") return new ResponsesStream();
    return new OpenaiStream(exchange.understood!.hidesUsage, endpoint.metering !== "estimate");
  }
  // One object of an endpoint that may stream has the members of the stream's last line, whatever type it is said to have.
  if (endpoint.metering === "native") {
    const rights = answerRights(exchange);
    return exchange.understood!.isStream ? new NativeStream(false, rights) : new NativeObject(rights);
  }
  return new WholeObject();
}

/** What the environment's other servers serve, each by its own spelling. */
function namesOfOthers({ group, upstream }: Exchange): string[] {
  const others = group?.replicas.filter((replica) => replica !== upstream) ?? [];
  return [...new Set(others.flatMap(({ served }) => [...(served?.values() ?? [])].flat()))];
}

/** A right that guards a field of requests guards the same data in answers. */
function answerRights(exchange: Exchange): AnswerRights {
  const right = exchange.right!;
  const model = exchange.demands[0]?.model ?? exchange.understood!.model;
  const maySeeRendered = isHeld(right, "debug:render", model);
  return {
    maySeeRendered,
    maySeeContext: maySeeRendered || isHeld(right, "infer:override", model),
    mayBeRemote: exchange.isRemoteModel,
  };
}
