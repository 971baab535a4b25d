// Column types by store, asked once per project: predicates need to know what is a number.
import { signal } from "@preact/signals";
import { stores } from "../lib/api";
import type { TypeOf } from "./predicate";

const types = signal<ReadonlyMap<string, string>>(new Map());
const asked = new Set<string>();

function key(project: string, store: string, column: string): string {
  return JSON.stringify([project, store, column]);
}

async function load(project: string): Promise<void> {
  try {
    const found = await stores(project);
    const next = new Map(types.value);
    for (const store of found) {
      for (const column of store.columns) next.set(key(project, store.name, column.name), column.type);
    }
    types.value = next;
  } catch {
    // Without types every value is quoted, which is right for text; the next page view asks again.
    asked.delete(project);
  }
}

/** Looks up types of one store; unknown until the first answer has come, which redraws its readers. */
export function columnTypes(project: string, store: string): TypeOf {
  if (!asked.has(project)) {
    asked.add(project);
    void load(project);
  }
  const known = types.value;
  return (column) => known.get(key(project, store, column));
}
