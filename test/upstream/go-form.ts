/** Multipart forms as Go's `FormValue` reads them: the URL query beats the form, the first of repeated parts wins, names are case-sensitive. */
export function goFormValue(contentType: string, body: Buffer, query: URLSearchParams, name: string): string {
  const fromQuery = query.get(name);
  if (fromQuery !== null) return fromQuery;
  const boundary = /boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) return "";
  for (const part of body.toString("latin1").split(`--${boundary}`)) {
    const end = part.indexOf("\r\n\r\n");
    if (end < 0) continue;
    if (/name="([^"]*)"/i.exec(part.slice(0, end))?.[1] === name) return part.slice(end + 4).replace(/\r\n$/, "");
  }
  return "";
}
