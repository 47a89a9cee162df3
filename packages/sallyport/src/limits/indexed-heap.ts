/**
 * A binary heap whose members know their place in it, so that any of them can be moved or removed in logarithmic time.
 * A member is in at most one heap through the same place field.
 */
export interface HeapMember {
  /** Its place in the heap; -1 = it is not in it. Written by the heap alone. */
  place: number;
}

export class IndexedHeap<T extends HeapMember> {
  readonly #members: T[] = [];
  readonly #isBefore: (a: T, b: T) => boolean;

  /** `isBefore` is a strict order. It may change its mind about a member only if `moved` follows. */
  constructor(isBefore: (a: T, b: T) => boolean) {
    this.#isBefore = isBefore;
  }

  get size(): number {
    return this.#members.length;
  }

  /** The first member by the order; undefined in an empty heap. */
  get first(): T | undefined {
    return this.#members[0];
  }

  add(member: T): void {
    member.place = this.#members.push(member) - 1;
    this.#up(member);
  }

  /** The order of this member has changed. Nothing where it is not in the heap. */
  moved(member: T): void {
    if (member.place < 0) return;
    this.#up(member);
    this.#down(member);
  }

  /** Nothing where it is not in the heap. */
  remove(member: T): void {
    const { place } = member;
    if (place < 0) return;
    member.place = -1;
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[place] = last;
    last.place = place;
    this.moved(last);
  }

  #up(member: T): void {
    const members = this.#members;
    let { place } = member;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = members[above]!;
      if (!this.#isBefore(member, parent)) break;
      members[place] = parent;
      parent.place = place;
      place = above;
    }
    members[place] = member;
    member.place = place;
  }

  #down(member: T): void {
    const members = this.#members;
    let { place } = member;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= members.length) break;
      if (below + 1 < members.length && this.#isBefore(members[below + 1]!, members[below]!)) below++;
      const child = members[below]!;
      if (!this.#isBefore(child, member)) break;
      members[place] = child;
      child.place = place;
      place = below;
    }
    members[place] = member;
    member.place = place;
  }
}
