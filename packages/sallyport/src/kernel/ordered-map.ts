/**
 * An immutable map from texts to values, in the order of the texts (by UTF-16 code units). `with()` returns another map
 * that shares everything unchanged, so a change costs what changed and hardly grows with the map: at 100,000 entries
 * one change copies about 1,000 references. A map that is held elsewhere never changes.
 */
const LEAF_MAX = 128;
/** A leaf smaller than this joins its neighbour, so that what is taken away leaves no dust. */
const LEAF_MIN = 32;

interface Leaf<V> {
  /** Ascending, at least one. */
  readonly keys: readonly string[];
  readonly values: readonly V[];
}

export class OrderedMap<V> implements ReadonlyMap<string, V> {
  readonly #leaves: readonly Leaf<V>[];
  readonly size: number;

  private constructor(leaves: readonly Leaf<V>[], size: number) {
    this.#leaves = leaves;
    this.size = size;
  }

  static empty<V>(): OrderedMap<V> {
    return new OrderedMap<V>([], 0);
  }

  /** Of entries in any order; of several with the same key the last one counts. */
  static of<V>(entries: Iterable<readonly [string, V]>): OrderedMap<V> {
    const keys: string[] = [];
    const values: V[] = [];
    let isInOrder = true;
    for (const [key, value] of entries) {
      isInOrder &&= keys.length === 0 || keys.at(-1)! < key;
      keys.push(key);
      values.push(value);
    }
    // Rows of the store come in the order of their ids: most of a start needs no sorting.
    if (isInOrder) return OrderedMap.#cut(keys, values);
    const last = new Map<string, V>();
    for (let i = 0; i < keys.length; i++) last.set(keys[i]!, values[i]!);
    const sorted = [...last.keys()].toSorted();
    return OrderedMap.#cut(
      sorted,
      sorted.map((key) => last.get(key)!),
    );
  }

  static #cut<V>(keys: readonly string[], values: readonly V[]): OrderedMap<V> {
    const leaves: Leaf<V>[] = [];
    addLeaves(leaves, { keys, values });
    return new OrderedMap(leaves, keys.length);
  }

  get(key: string): V | undefined {
    const leaf = this.#leaves[this.#leafOf(key)];
    if (!leaf) return undefined;
    const at = lowerBound(leaf.keys, key);
    return leaf.keys[at] === key ? leaf.values[at] : undefined;
  }

  has(key: string): boolean {
    const leaf = this.#leaves[this.#leafOf(key)];
    return leaf !== undefined && leaf.keys[lowerBound(leaf.keys, key)] === key;
  }

  /** This map with other values; `undefined` takes an entry out. Of several changes of one key the last one counts. */
  with(changes: Iterable<readonly [string, V | undefined]>): OrderedMap<V> {
    const last = new Map(changes);
    if (last.size === 0) return this;
    // The engine's own order of texts, which is by code units; a comparison of ours takes three times as long.
    const wanted = [...last.keys()].toSorted().map((key) => [key, last.get(key)] as const);
    const leaves: Leaf<V>[] = [];
    let size = this.size;
    let copied = 0;
    for (let next = 0; next < wanted.length;) {
      const at = this.#leafOf(wanted[next]![0]);
      for (; copied < at; copied++) leaves.push(this.#leaves[copied]!);
      const bound = this.#leaves[at + 1]?.keys[0];
      const first = next;
      while (next < wanted.length && (bound === undefined || wanted[next]![0] < bound)) next++;
      const before = this.#leaves[at];
      const after = merged(before, wanted.slice(first, next));
      size += after.keys.length - (before?.keys.length ?? 0);
      addLeaves(leaves, after);
      copied = at + 1;
    }
    for (; copied < this.#leaves.length; copied++) leaves.push(this.#leaves[copied]!);
    return new OrderedMap(leaves, size);
  }

  /** Entries whose key is greater than `key`. */
  *after(key: string): Generator<[string, V]> {
    for (let i = this.#leafOf(key); i < this.#leaves.length; i++) {
      const { keys, values } = this.#leaves[i]!;
      for (let at = lowerBound(keys, key); at < keys.length; at++) if (keys[at] !== key) yield [keys[at]!, values[at]!];
    }
  }

  /** Values whose key begins with the text. */
  *startingWith(prefix: string): Generator<V> {
    for (let i = this.#leafOf(prefix); i < this.#leaves.length; i++) {
      const { keys, values } = this.#leaves[i]!;
      for (let at = lowerBound(keys, prefix); at < keys.length; at++) {
        if (!keys[at]!.startsWith(prefix)) return;
        yield values[at]!;
      }
    }
  }

  *entries(): Generator<[string, V]> {
    for (const { keys, values } of this.#leaves) for (let i = 0; i < keys.length; i++) yield [keys[i]!, values[i]!];
  }

  *keys(): Generator<string> {
    for (const { keys } of this.#leaves) yield* keys;
  }

  *values(): Generator<V> {
    for (const { values } of this.#leaves) yield* values;
  }

  [Symbol.iterator](): Generator<[string, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  /** The leaf a key belongs to: the last one that begins at or before it, else the first. */
  #leafOf(key: string): number {
    let low = 0;
    let high = this.#leaves.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#leaves[middle]!.keys[0]! <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The index of the first key that is not less. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merged<V>(leaf: Leaf<V> | undefined, changes: readonly (readonly [string, V | undefined])[]): Leaf<V> {
  const keys: string[] = [];
  const values: V[] = [];
  let at = 0;
  const copyUntil = (bound: number): void => {
    for (; at < bound; at++) {
      keys.push(leaf!.keys[at]!);
      values.push(leaf!.values[at]!);
    }
  };
  for (const [key, value] of changes) {
    if (leaf) copyUntil(Math.max(at, lowerBound(leaf.keys, key)));
    if (leaf?.keys[at] === key) at++;
    if (value === undefined) continue;
    keys.push(key);
    values.push(value);
  }
  if (leaf) copyUntil(leaf.keys.length);
  return { keys, values };
}

function addLeaves<V>(leaves: Leaf<V>[], { keys, values }: Leaf<V>): void {
  const last = leaves.at(-1);
  if (last && keys.length > 0 && keys.length < LEAF_MIN && last.keys.length + keys.length <= LEAF_MAX) {
    leaves[leaves.length - 1] = { keys: [...last.keys, ...keys], values: [...last.values, ...values] };
    return;
  }
  // Halves rather than a full one and a rest: there is room in both for what comes next.
  const parts = Math.ceil(keys.length / LEAF_MAX);
  for (let part = 0; part < parts; part++) {
    const [from, to] = [Math.floor((part * keys.length) / parts), Math.floor(((part + 1) * keys.length) / parts)];
    leaves.push({ keys: keys.slice(from, to), values: values.slice(from, to) });
  }
}
