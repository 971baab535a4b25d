// The projects and stores that the query page offers, and the store that it reads when the address names none.
import { useMemo } from "preact/hooks";
import { projects as fetchProjects, type Store, stores as fetchStores } from "../lib/api";
import { useLoad } from "../lib/useTask";
import type { Mode, Place } from "./location";

export interface Catalog {
  projects: string[];
  stores: Store[];
  /** The store in use; absent while loading and where the project has none of the kind. */
  store: Store | undefined;
  /** Table names with their columns, for completion. */
  tables: Record<string, string[]>;
  /** The list has come and holds nothing to query in this mode. */
  empty: boolean;
  error: string | undefined;
}

const NONE: Store[] = [];

/** The named store, else the usual one: `metrics` for PromQL, the log store with the most rows otherwise. */
export function storeInUse(stores: Store[], mode: Mode, name: string | undefined): Store | undefined {
  const fitting = mode === "sql" ? stores : stores.filter(({ kind }) => (kind === "metrics") === (mode === "promql"));
  const named = fitting.find((store) => store.name === name);
  if (named || fitting.length === 0) return named;
  if (mode === "promql") return fitting.find((store) => store.name === "metrics") ?? fitting[0];
  const logs = fitting.filter(({ kind }) => kind === "logs").toSorted((a, b) => b.rows - a.rows);
  return logs[0] ?? fitting[0];
}

export function useCatalog(place: Place): Catalog {
  const listed = useLoad((abort) => fetchProjects(abort), []);
  const held = useLoad((abort) => fetchStores(place.project, abort), [place.project]);
  const stores = held.value?.filter(({ project }) => project === place.project) ?? NONE;
  const store = storeInUse(stores, place.mode, place.store);
  const tables = useMemo(() => {
    return Object.fromEntries(stores.map(({ name, columns }) => [name, columns.map((column) => column.name)]));
  }, [held.value]);
  const known = listed.value ?? [];
  return {
    projects: known.includes(place.project) ? known : [place.project, ...known],
    stores,
    store,
    tables,
    empty: held.value !== undefined && store === undefined,
    error: held.error ?? listed.error,
  };
}
