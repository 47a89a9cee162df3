/** OLLAMA_HOST as Ollama reads it (envconfig.Host): scheme, host and port each optional, `0.0.0.0` meaning every address. */
export const DEFAULT_OLLAMA_URL = "http://127.0.0.1:11434";

const HOST = /^(?:(https?):\/\/)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*)(?::(\d{1,5}))?\/?$/;

/** The address to reach it at; undefined for an empty text or one that is no address. */
export function ollamaUrl(text: string): string | undefined {
  const parts = HOST.exec(text.trim());
  if (!parts || text.trim() === "" || Number(parts[3] ?? 0) > 65_535) return undefined;
  const [, scheme = "http", host = "", port] = parts;
  // A server that listens everywhere is reached on loopback.
  const reached = host === "" || host === "0.0.0.0" ? "127.0.0.1" : host === "[::]" ? "[::1]" : host;
  const isWritten = text.includes("://");
  return `${scheme}://${reached}:${port ?? (isWritten ? (scheme === "https" ? "443" : "80") : "11434")}`;
}
