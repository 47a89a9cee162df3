// The forms in which a key leaks, each as a function from the key to the bytes of a file. `noise` is base62 text. The tests
// and `bench/scan.js` read them; `packages/sallyport/src/leaks/` has to find the key in every one.
import { deflateSync, gzipSync } from "node:zlib";

const text = (write) => (key, noise) => Buffer.from(write(key, noise));
const each = (write) => text((key) => `x ${[...key].map(write).join("")} y`);
const hex = (character, digits = 2) => character.charCodeAt(0).toString(16).padStart(digits, "0");
const wrap = (key, width, by) => key.match(new RegExp(`.{1,${width}}`, "g")).join(by);
const base64 = (value) => Buffer.from(value).toString("base64");
const utf16be = (value) => Buffer.from(value, "utf16le").swap16();

/** A zip archive with one entry. */
function zip(name, content, method) {
  const packed = method === 8 ? deflateSync(content).subarray(2, -4) : Buffer.from(content);
  const local = Buffer.alloc(30 + name.length);
  local.writeUInt32LE(0x04034b50);
  local.writeUInt16LE(method, 8);
  local.writeUInt32LE(packed.length, 18);
  local.writeUInt32LE(content.length, 22);
  local.writeUInt16LE(name.length, 26);
  local.write(name, 30);
  const central = Buffer.alloc(46 + name.length);
  central.writeUInt32LE(0x02014b50);
  central.writeUInt16LE(method, 10);
  central.writeUInt32LE(packed.length, 20);
  central.writeUInt32LE(content.length, 24);
  central.writeUInt16LE(name.length, 28);
  central.write(name, 46);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length + packed.length, 16);
  return Buffer.concat([local, packed, central, end]);
}

/** A tar archive with one file. */
function tar(name, content) {
  const header = Buffer.alloc(512);
  header.write(name);
  header.write("0000644\0", 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  Buffer.from(content).copy(body);
  return Buffer.concat([header, body, Buffer.alloc(1024)]);
}

function xxd(value) {
  const lines = [];
  for (let at = 0; at < value.length; at += 16) {
    const part = value.slice(at, at + 16);
    const pairs = Buffer.from(part)
      .toString("hex")
      .match(/.{1,4}/g)
      .join(" ");
    lines.push(`${at.toString(16).padStart(8, "0")}: ${pairs.padEnd(39)}  ${part}`);
  }
  return `${lines.join("\n")}\n`;
}

function base32(value) {
  const bits = [...Buffer.from(value)].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits
    .match(/.{1,5}/g)
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("");
}

export const embeddings = {
  plain: text((key) => `SALLYPORT_API_KEY=${key}\n`),
  "glued to letters": text((key, noise) => `${noise}${key}${noise}`),
  "glued to underscores": text((key) => `__${key}__`),
  "in a URL": text((key) => `https://llm.example/v1?key=${key}&x=1`),
  "in JSON": text((key) => JSON.stringify({ apiKey: key })),
  "JSON in JSON in JSON": text((key) => JSON.stringify(JSON.stringify({ k: JSON.stringify({ key: `a"${key}"` }) }))),
  "wrapped at 20": text((key) => `k: ${wrap(key, 20, "\n")}\n`),
  "wrapped at 1": text((key) => wrap(key, 1, "\n")),
  "wrapped with CRLF": text((key) => wrap(key, 31, "\r\n")),
  "wrapped and indented": text((key) => `key: >-\n  ${wrap(key, 40, "\n    ")}\n`),
  "shell continuation": text((key) => `export K=${wrap(key, 33, "\\\n")}`),
  "quoted mail": text((key) => `> > ${wrap(key, 36, "\n> > ")}\n`),
  "wrapped in a diff": text((key) => `+key: ${wrap(key, 36, "\n+ ")}\n`),
  "removed in a diff": text((key) => `-${wrap(key, 50, "\n-")}\n`),
  "comment block": text((key) => `// ${wrap(key, 30, "\n// ")}\n`),
  "numbered lines": text((key) => `  9: ${wrap(key, 30, "\n 10: ")}\n`),
  "table cell": text((key) => `│ ${wrap(key, 30, " │\n│ ")} │\n`),
  "quoted-printable soft break": text((key) => wrap(key, 40, "=\n")),
  "quoted-printable soft break, CRLF": text((key) => wrap(key, 40, "=\r\n")),
  "quoted-printable escapes": text((key) => key.replaceAll("_", "=5F")),
  "encoded words": text((key) => `Subject: =?UTF-8?Q?${wrap(key, 40, "?=\r\n =?UTF-8?Q?").replaceAll("_", "=5F")}?=`),
  "HTML numeric": text((key) => `<p>${key.replaceAll("_", "&#95;")}</p>`),
  "HTML hexadecimal": text((key) => key.replaceAll("_", "&#x5F;")),
  "HTML named": text((key) => key.replaceAll("_", "&lowbar;")),
  "HTML, every character": each((character) => `&#${character.charCodeAt(0)};`),
  "HTML escaped twice": text((key) => key.replaceAll("_", "&amp;#95;")),
  "HTML word breaks": text((key) => wrap(key, 12, "<wbr>")),
  "HTML highlighting": text((key) => `<span class="n">sp${wrap(key.slice(2), 25, '</span><span class="s1">')}</span>`),
  "soft hyphens": text((key) => wrap(key, 10, "\u00ad")),
  "zero-width spaces": text((key) => wrap(key, 10, "\u200b")),
  "terminal colors": text((key) => wrap(key, 10, "\u001b[0m\u001b[38;5;12m")),
  markdown: text((key) => key.replaceAll("_", "\\_")),
  "markdown in JSON": text((key) => JSON.stringify({ body: key.replaceAll("_", "\\_") })),
  "\\x5f": text((key) => `"${key.replaceAll("_", "\\x5f")}"`),
  "\\u005f": text((key) => `"${key.replaceAll("_", "\\u005f")}"`),
  "\\u005f in JSON": text((key) => JSON.stringify(`"${key.replaceAll("_", "\\u005f")}"`)),
  "\\u{5f}": text((key) => `"${key.replaceAll("_", "\\u{5f}")}"`),
  "\\137": text((key) => `"${key.replaceAll("_", "\\137")}"`),
  "CSS escape": text((key) => key.replaceAll("_", "\\5f ")),
  RTF: text((key) => key.replaceAll("_", "\\'5f")),
  "every character \\u": each((character) => `\\u${hex(character, 4)}`),
  "every character \\x": each((character) => `\\x${hex(character)}`),
  percent: text((key) => `?k=${key.replaceAll("_", "%5F")}`),
  "percent twice": text((key) => `?k=${key.replaceAll("_", "%255f")}`),
  "percent, every character": each((character) => `%${hex(character)}`),
  "string concatenation": text((key) => `"${wrap(key, 22, '" +\n      "')}"`),
  "adjacent literals": text((key) => `('${wrap(key, 22, "'\n '")}')`),
  "array joined": text((key) => JSON.stringify(key.split("_"), null, 2).replaceAll('",', '_",')),
  "JSON in a URL": text((key) => `?body=${encodeURIComponent(JSON.stringify(key)).replaceAll("_", "%5Cu005f")}`),
  "HTML in JSON": text((key) => `"${key.replaceAll("_", "\\u0026#95;")}"`),
  "HTML in a URL": text((key) => `?q=${key.replaceAll("_", "%26%2395%3B")}`),
  "percent in JSON": text((key) => `"${key.replaceAll("_", "\\u00255F")}"`),
  "quoted-printable HTML": text((key) => key.replaceAll("_", "=26#95;")),
  "every character \\u in a URL": each((character) => `%5Cu${hex(character, 4)}`),
  "terminal colors in JSON": text((key) => JSON.stringify(wrap(key, 10, "\u001b[0m\u001b[1;31m"))),
  "UTF-7": text((key) => key.replaceAll("_", "+AF8-")),
  "CDATA sections": text((key) => `<![CDATA[${wrap(key, 20, "]]><![CDATA[")}]]>`),
  "\\N{LOW LINE}": text((key) => `"${key.replaceAll("_", "\\N{LOW LINE}")}"`),
  "array of characters": text((key) => JSON.stringify([...key])),
  "docx runs": text((key) =>
    wrap(key, 25, '</w:t></w:r><w:r w:rsidR="00A7"><w:rPr><w:lang w:val="en-US"/></w:rPr><w:t>'),
  ),
  "gzip inside a file": (key, noise) => Buffer.concat([Buffer.from(`!<arch>\n${noise}\n`), gzipSync(key)]),
  "zip after a program": (key) => Buffer.concat([Buffer.from("#!/bin/sh\nexit\n"), zip(".env", key, 8)]),
  "a PDF's stream": (key) =>
    Buffer.concat([
      Buffer.from("%PDF-1.7\n1 0 obj\n<<>>\nstream\r\n"),
      deflateSync(`(${key}) Tj`),
      Buffer.from("\nendstream"),
    ]),
  "full width": each((character) => String.fromCharCode(character.charCodeAt(0) + 0xfee0)),
  "UTF-16 LE": (key) => Buffer.from(`\ufeffkey=${key}\r\n`, "utf16le"),
  "UTF-16 BE": (key) => utf16be(`\ufeffkey=${key}\r\n`),
  "UTF-16, wrapped and escaped": (key) =>
    Buffer.from(`\ufeff${wrap(key, 30, "\r\n> ").replaceAll("_", "\\u005f")}`, "utf16le"),
  "UTF-32": (key) => Buffer.from([...key].flatMap((character) => [character.charCodeAt(0), 0, 0, 0])),
  "base64, first alignment": text((key) => `data: ${base64(key)}`),
  "base64, second alignment": text((key) => `data: ${base64(`x${key}yz`)}`),
  "base64, third alignment": text((key) => `data: ${base64(`xx${key}y`)}`),
  "basic authentication": text((key) => `Authorization: Basic ${base64(`ollama:${key}`)}`),
  "base64url glued to letters": text((key) => `token.${Buffer.from(`??>>${key}`).toString("base64url")}_tail`),
  "base64, wrapped at 76": text((key, noise) =>
    base64(`${noise}\n${key}\n${noise}`)
      .match(/.{1,76}/g)
      .join("\r\n"),
  ),
  "base64, wrapped in JSON": text((key, noise) =>
    JSON.stringify(
      base64(noise + key)
        .match(/.{1,64}/g)
        .join("\n"),
    ),
  ),
  "base64, quoted": text(
    (key, noise) =>
      `> ${base64(noise + key)
        .match(/.{1,60}/g)
        .join("\n> ")}`,
  ),
  "base64 in a diff": text(
    (key, noise) =>
      `+${base64(noise + key)
        .match(/.{1,60}/g)
        .join("\n+")}\n`,
  ),
  "base64 in a URL": text((key) => `?state=${encodeURIComponent(base64(`~~${key}??>`))}`),
  "base64 of base64": text((key) => base64(base64(key))),
  "base64 of UTF-16": text((key) => `powershell -enc ${Buffer.from(`$k='${key}'`, "utf16le").toString("base64")}`),
  "base64 of gzip": text((key) => `body=${gzipSync(key).toString("base64")}`),
  "base64 of wrapped text": text((key) => base64(wrap(key, 40, "\n"))),
  base32: text((key) => base32(`xy${key}`)),
  hex: text((key) => `0x${Buffer.from(key).toString("hex")}`),
  "hex dump": text((key) => xxd(`SALLYPORT_API_KEY=${key}\n`)),
  "array of decimal codes": text((key) => JSON.stringify(Buffer.from(`k=${key}`))),
  "array of hexadecimal codes": text(
    (key) => `{ ${[...Buffer.from(key)].map((byte) => `0x${byte.toString(16)}`).join(", ")} }`,
  ),
  gzip: (key, noise) => gzipSync(`${noise}\nkey=${key}\n`),
  zlib: (key) => deflateSync(`key=${key}\n`),
  "gzip of gzip": (key) => gzipSync(gzipSync(key)),
  "truncated gzip": (key) => gzipSync(`${key}\n${"tail ".repeat(400)}`).subarray(0, -9),
  "zip, compressed": (key) => zip("app/.env", `KEY=${key}\n`, 8),
  "zip, stored": (key) => zip("app/.env", `KEY=${key}\n`, 0),
  "zip in zip": (key) => zip("inner.zip", zip(".env", `KEY=${key}\n`, 8), 8),
  tar: (key) => tar("app/.env", `KEY=${key}\n`),
  "tar.gz": (key) => gzipSync(tar("app/.env", `KEY=${key}\n`)),
  "gzip in tar": (key) => tar("log.gz", gzipSync(`KEY=${key}\n`)),
  notebook: text((key) =>
    JSON.stringify(
      { cells: [{ cell_type: "code", source: [`import os\n`, `K = "${key.replaceAll("_", "\\x5f")}"\n`] }] },
      null,
      1,
    ),
  ),
  "notebook, wrapped output": text((key) =>
    JSON.stringify({ text: `${wrap(key, 40, "\n")}\n`.match(/.*\n/g) }, null, 1),
  ),
};
