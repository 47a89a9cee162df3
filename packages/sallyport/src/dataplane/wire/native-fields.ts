/** Fields of Ollama's own dialect (reference, 1.4). What is not listed is not sent. */
import { StructFields, either, flag, listOf, map, number, struct, text } from "../../kernel/strict-json/shape.ts";
import type { RequestShape } from "./request-cursor.ts";
import { RequestCursor, image, message, nativeOptions, prose, schema, tool } from "./request-cursor.ts";

const numberOrText = either<RequestCursor>({ number, string: text });
const flagOrText = either<RequestCursor>({ boolean: flag, string: text });

/** Tools as Ollama's api.Tool; a tool's parameters are a schema with any keys. Used by the OpenAI chat dialect as well. */
export const functionTools: RequestShape = listOf(
  tool(struct({ type: text, items: schema, function: struct({ name: text, description: prose, parameters: schema }) })),
);

export const nativeMessages: RequestShape = listOf(
  message(
    struct({
      role: text,
      content: prose,
      thinking: prose,
      images: listOf(image),
      tool_calls: listOf(struct({ id: text, function: struct({ index: number, name: text, arguments: map }) })),
      tool_name: text,
      tool_call_id: text,
    }),
  ),
);

const inference = { model: text, keep_alive: numberOrText, options: nativeOptions, truncate: flag };

export const generateFields = new StructFields<RequestCursor>({
  ...inference,
  prompt: prose,
  suffix: prose,
  system: prose,
  template: prose,
  context: listOf(number),
  stream: flag,
  raw: flag,
  format: schema,
  images: listOf(image),
  think: flagOrText,
  shift: flag,
  _debug_render_only: flag,
  logprobs: flag,
  top_logprobs: number,
});

export const chatFields = new StructFields<RequestCursor>({
  ...inference,
  messages: nativeMessages,
  tools: functionTools,
  stream: flag,
  format: schema,
  think: flagOrText,
  shift: flag,
  _debug_render_only: flag,
  logprobs: flag,
  top_logprobs: number,
});

export const embedFields = new StructFields<RequestCursor>({
  ...inference,
  input: either({ string: prose, array: listOf(prose) }),
  dimensions: number,
});

export const embeddingsFields = new StructFields<RequestCursor>({
  model: text,
  prompt: prose,
  keep_alive: numberOrText,
  options: nativeOptions,
});

// `system`, `template` and `options` of show only alter the echoed text and bypass a cache: read, never sent.
export const showFields = new StructFields<RequestCursor>({
  model: text,
  name: text,
  system: text,
  template: text,
  options: map,
  verbose: flag,
});

export const transferFields = new StructFields<RequestCursor>({
  model: text,
  name: text,
  insecure: flag,
  username: text,
  password: text,
  stream: flag,
});

export const createFields = new StructFields<RequestCursor>({
  model: text,
  name: text,
  from: text,
  remote_host: text,
  files: map,
  draft_files: map,
  adapters: map,
  quantize: text,
  quantization: text,
  draft_quantize: text,
  template: text,
  system: text,
  renderer: text,
  parser: text,
  requires: text,
  license: either({ string: text, array: listOf(text) }),
  parameters: map,
  messages: nativeMessages,
  info: map,
  stream: flag,
});

export const copyFields = new StructFields<RequestCursor>({ source: text, destination: text });
export const deleteFields = new StructFields<RequestCursor>({ model: text, name: text });
export const webSearchFields = new StructFields<RequestCursor>({ query: prose, max_results: number });
export const webFetchFields = new StructFields<RequestCursor>({ url: text });
