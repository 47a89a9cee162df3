/** Members of a document whose shape is not known yet. A member that is missing, or of another type, is empty. */
export function mapOf(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

export function field(value: unknown, key: string): unknown {
  const map = mapOf(value);
  return Object.hasOwn(map, key) ? map[key] : undefined;
}
