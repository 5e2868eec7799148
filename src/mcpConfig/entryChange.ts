import { isRecord } from './sameData.ts';

/** Something in a server's entry that gets another text, or goes when there is none. */
export interface EntryChange {
  /** From the entry on; elements of arrays by their number. */
  readonly path: readonly (string | number)[];
  readonly value?: string;
}

/** What an entry says once a change is made: what an edit of its text is checked against. */
export function withChange(data: unknown, { path, value }: EntryChange): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const isGoing = rest.length === 0 && value === undefined;
  const change: EntryChange = { path: rest, ...(value !== undefined && { value }) };
  if (Array.isArray(data)) {
    const elements: readonly unknown[] = data;
    if (isGoing) return elements.filter((_, index) => index !== key);
    return elements.map((element, index) => (index === key ? withChange(element, change) : element));
  }
  if (!isRecord(data)) return data;
  const { [key]: old, ...others } = data;
  return isGoing ? others : { ...others, [key]: withChange(old, change) };
}
