/** Fields of OpenAI's dialect as Ollama understands them (openai/openai.go, openai/responses.go). What is not listed is not sent. */
import {
  StructFields,
  anything,
  either,
  flag,
  later,
  listOf,
  number,
  struct,
  text,
} from "../../kernel/strict-json/shape.ts";
import { functionTools } from "./native-fields.ts";
import type { RequestCursor, RequestShape } from "./request-cursor.ts";
import { countedImage, message, offeredTools, prose, schema, tool, toolType } from "./request-cursor.ts";

const textOrTexts = either<RequestCursor>({ string: prose, array: listOf(prose) });
const numberOrText = either<RequestCursor>({ number, string: text });

const imageUrl: RequestShape = countedImage(either({ string: text, object: struct({ url: text, detail: text }) }));

const recording: RequestShape = countedImage(struct({ data: text, format: text }));

const chatContent: RequestShape = either({
  string: prose,
  array: listOf(
    struct({
      type: text,
      text: prose,
      image_url: imageUrl,
      input_audio: recording,
      refusal: prose,
    }),
  ),
});

const chatMessages: RequestShape = listOf(
  message(
    struct({
      role: text,
      content: chatContent,
      reasoning: prose,
      reasoning_content: prose,
      name: text,
      tool_call_id: text,
      tool_calls: listOf(
        struct({ id: text, index: number, type: text, function: struct({ name: text, arguments: prose }) }),
      ),
    }),
  ),
);

const sampling = {
  seed: number,
  stop: either<RequestCursor>({ string: text, array: listOf(text) }),
  temperature: number,
  frequency_penalty: number,
  presence_penalty: number,
  top_p: number,
};

const streaming = { stream: flag, stream_options: struct<RequestCursor>({ include_usage: flag }) };

export const chatCompletionFields = new StructFields<RequestCursor>({
  model: text,
  messages: chatMessages,
  ...streaming,
  ...sampling,
  max_tokens: number,
  max_completion_tokens: number,
  response_format: struct({ type: text, json_schema: struct({ name: text, strict: flag, schema }) }),
  tools: functionTools,
  reasoning: struct({ effort: text }),
  reasoning_effort: text,
  logprobs: flag,
  top_logprobs: number,
  _debug_render_only: flag,
});

export const completionFields = new StructFields<RequestCursor>({
  model: text,
  prompt: prose,
  suffix: prose,
  ...streaming,
  ...sampling,
  max_tokens: number,
  logprobs: number,
  _debug_render_only: flag,
});

export const openaiEmbeddingFields = new StructFields<RequestCursor>({
  model: text,
  input: textOrTexts,
  dimensions: number,
  encoding_format: text,
});

const responsesContent: RequestShape = either({
  string: prose,
  array: listOf(
    struct({
      type: text,
      text: prose,
      image_url: imageUrl,
      detail: text,
      refusal: prose,
      input_audio: recording,
    }),
  ),
});

/** `type` distinguishes items of `input`; this is the union of their members. */
const responsesItems: RequestShape = listOf(
  message(
    struct({
      type: text,
      id: text,
      role: text,
      content: responsesContent,
      status: text,
      call_id: text,
      name: text,
      namespace: text,
      arguments: prose,
      output: responsesContent,
      summary: listOf(struct({ type: text, text: prose })),
      encrypted_content: text,
    }),
  ),
);

const responsesTool: RequestShape = tool(
  struct({
    type: toolType,
    name: text,
    description: prose,
    parameters: schema,
    strict: flag,
    tools: listOf(later(() => responsesTool)),
  }),
);

export const responsesFields = new StructFields<RequestCursor>({
  model: text,
  input: either({ string: prose, array: responsesItems }),
  instructions: prose,
  max_output_tokens: number,
  reasoning: struct({ effort: text, summary: text }),
  temperature: number,
  top_p: number,
  text: struct({ format: struct({ type: text, name: text, description: prose, strict: flag, schema }) }),
  tools: offeredTools(responsesTool),
  tool_choice: anything,
  stream: flag,
  truncation: numberOrText,
});
