/**
 * Every key's id in memory, compactly: an unknown id is answered without touching the disk. Open addressing over
 * 32-bit pairs: 8 bytes a slot, at most half full, so a million keys take 16 to 32 MB.
 * It holds fingerprints, not ids: a chance hit costs one read and is then a miss.
 */
export class KeyIdIndex {
  #slots = new Uint32Array(2 * 1024);
  #count = 0;

  get size(): number {
    return this.#count;
  }

  add(environment: string, id: string): void {
    if (this.#count * 2 >= this.#slots.length / 2) this.#grow();
    if (insert(this.#slots, fingerprint(environment, id, 0x811c9dc5), fingerprint(environment, id, 0x9747b28c)))
      this.#count++;
  }

  mayHave(environment: string, id: string): boolean {
    const first = fingerprint(environment, id, 0x811c9dc5);
    const second = fingerprint(environment, id, 0x9747b28c);
    const mask = this.#slots.length / 2 - 1;
    for (let slot = first & mask; ; slot = (slot + 1) & mask) {
      const held = this.#slots[2 * slot];
      if (held === first && this.#slots[2 * slot + 1] === second) return true;
      if (held === 0 && this.#slots[2 * slot + 1] === 0) return false;
    }
  }

  #grow(): void {
    const wider = new Uint32Array(this.#slots.length * 2);
    for (let i = 0; i < this.#slots.length; i += 2) {
      if (this.#slots[i] !== 0 || this.#slots[i + 1] !== 0) insert(wider, this.#slots[i]!, this.#slots[i + 1]!);
    }
    this.#slots = wider;
  }
}

/** FNV-1a with a choice of seed, never zero in the first word (zero marks an empty slot). */
function fingerprint(environment: string, id: string, seed: number): number {
  let hash = seed;
  for (let i = 0; i < environment.length; i++) hash = Math.imul(hash ^ environment.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ 0x5f, 0x01000193);
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 15;
  return hash >>> 0 || 1;
}

function insert(slots: Uint32Array, first: number, second: number): boolean {
  const mask = slots.length / 2 - 1;
  for (let slot = first & mask; ; slot = (slot + 1) & mask) {
    if (slots[2 * slot] === 0 && slots[2 * slot + 1] === 0) {
      slots[2 * slot] = first;
      slots[2 * slot + 1] = second;
      return true;
    }
    if (slots[2 * slot] === first && slots[2 * slot + 1] === second) return false;
  }
}
