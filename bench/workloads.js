// What is asked of the gateway and of whatever is measured beside it. Rows with a `budget` are judged: the most that the
// gateway may take, as a multiple of the bare pass-through's CPU.
const stream = { bodyBytes: 400, isStream: true, requests: 1_500, connections: 32 };
const small = { bodyBytes: 400, isStream: false, requests: 6_000, connections: 32 };

export const streamed = { name: "400 B request, 64-chunk stream, first token after 20 ms", ...stream };
export const answered = { name: "400 B request, small whole answer", ...small };

export const workloads = [
  { ...streamed, budget: 1.15 },
  {
    ...stream,
    name: "400 B request, the same stream with 5 ms between chunks",
    connections: 128,
    gapMs: 5,
    budget: 1.15,
  },
  { ...stream, name: "4 kB request, the same stream", bodyBytes: 4_096, requests: 1_000 },
  { ...stream, name: "32 kB request, the same stream", bodyBytes: 32_768, requests: 1_000 },
  { ...answered, budget: 2.7 },
  { ...small, name: "400 B request, embedding of 384 numbers", path: "/api/embed", isEmbedding: true, requests: 4_000 },
];
