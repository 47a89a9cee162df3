/** Fields of Anthropic's Messages dialect as Ollama understands them (anthropic/anthropic.go). What is not listed is not sent. */
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
import type { RequestCursor, RequestShape } from "./request-cursor.ts";
import { countedImage, message, offeredTools, prose, schema, tool, toolType } from "./request-cursor.ts";

/** `type` distinguishes blocks; this is the union of their members, including tool results that contain blocks. */
const block: RequestShape = struct({
  type: text,
  text: prose,
  source: countedImage(struct({ type: text, media_type: text, data: text, url: text })),
  id: text,
  name: text,
  input: anything,
  tool_use_id: text,
  content: either({
    string: prose,
    array: listOf(later(() => block)),
    object: struct({ type: text, error_code: text }),
  }),
  is_error: flag,
  thinking: prose,
  signature: text,
  data: text,
  url: text,
  title: prose,
  encrypted_content: text,
  page_age: text,
});

const proseOrBlocks: RequestShape = either({ string: prose, array: listOf(block) });

export const messagesFields = new StructFields<RequestCursor>({
  model: text,
  max_tokens: number,
  messages: listOf(message(struct({ role: text, content: proseOrBlocks }))),
  system: either({ string: prose, array: listOf(struct({ type: text, text: prose })) }),
  stream: flag,
  temperature: number,
  top_p: number,
  top_k: number,
  stop_sequences: listOf(text),
  tools: offeredTools(
    tool(struct({ type: toolType, name: text, description: prose, input_schema: schema, max_uses: number })),
  ),
  tool_choice: struct({ type: text, name: text, disable_parallel_tool_use: flag }),
  thinking: struct({ type: text, budget_tokens: number }),
  output_config: struct({ effort: text }),
});
