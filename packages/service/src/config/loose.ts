// Values of a document whose shape nobody has checked yet.

export type Loose = { readonly [key: string]: Loose | undefined };

export function entries(value: unknown): [string, Loose][] {
  return typeof value === 'object' && value !== null ? (Object.entries(value) as [string, Loose][]) : [];
}

export function loose(value: unknown): Loose {
  return typeof value === 'object' && value !== null ? (value as Loose) : {};
}

export function has(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key);
}

export function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
