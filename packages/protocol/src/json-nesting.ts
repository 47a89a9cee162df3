/** Whether arrays and objects stand inside one another more than `most` levels deep: told without parsing the text. */
export function nestsBeyond(text: string, most: number): boolean {
  let depth = 0;
  let isInText = false;
  for (let at = 0; at < text.length; at++) {
    const mark = text.charCodeAt(at);
    if (isInText) {
      if (mark === 0x5c) at++;
      else if (mark === 0x22) isInText = false;
    } else if (mark === 0x22) isInText = true;
    else if (mark === 0x5b || mark === 0x7b) {
      if (++depth > most) return true;
    } else if (mark === 0x5d || mark === 0x7d) depth--;
  }
  return false;
}
