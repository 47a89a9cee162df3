/** Model names as the server resolves them: source marker, parts, defaults, letters' case ignored. Written apart from our own parser, so that the two can disagree. */

/** Go's strings.TrimSpace: Unicode White_Space, with U+0085 and without U+FEFF. */
function goTrim(text: string): string {
  const space =
    /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;
  return text.replaceAll(space, "");
}

export interface Resolved {
  /** `host/namespace/model:tag`, lower case. */
  readonly name: string;
  readonly isCloud: boolean;
}

/** What the server would run for that name, or undefined where it answers 400. */
export function resolveModel(written: string, trims = true): Resolved | undefined {
  let text = trims ? goTrim(written) : written;
  let source = "";
  if (trims) {
    [text, source] = splitMarker(text);
    const again = splitMarker(text);
    if (source !== "" && again[1] !== "" && again[1] !== source) return undefined;
  }
  const scheme = text.indexOf("://");
  if (scheme >= 0) text = text.slice(scheme + 3);
  let tag = "latest";
  const slash = text.lastIndexOf("/");
  const colon = text.lastIndexOf(":");
  if (colon > slash) {
    tag = text.slice(colon + 1);
    text = text.slice(0, colon);
  }
  const parts = text.split("/");
  const model = parts.pop()!;
  const namespace = parts.pop() ?? "library";
  const host = parts.length > 0 ? parts.join("/") : "registry.ollama.ai";
  if (!/^[A-Za-z0-9_][\w.:-]{0,349}$/.test(host)) return undefined;
  if (!/^\w[\w-]{0,79}$/.test(namespace)) return undefined;
  if (!/^\w[\w.-]{0,79}$/.test(model) || !/^\w[\w.-]{0,79}$/.test(tag)) return undefined;
  return { name: `${host}/${namespace}/${model}:${tag}`.toLowerCase(), isCloud: source === "cloud" };
}

function splitMarker(text: string): [base: string, source: string] {
  const colon = text.lastIndexOf(":");
  const last = colon < 0 ? "" : text.slice(colon + 1);
  const marker = goTrim(last).toLowerCase();
  if (marker === "cloud" || marker === "local") return [goTrim(text.slice(0, colon)), marker];
  if (marker.endsWith("-cloud") && !marker.includes("/"))
    return [text.slice(0, text.length - (last.length - goTrim(last).length) - 6), "cloud"];
  return [text, ""];
}
