// What the query page keeps in the address: language, project, store, text, baseline, range. A copied link is the whole state.
import { signal } from "@preact/signals";
import { defaultRange, type TimeRange } from "../lib/timerange";
import { href } from "../router";

/** `explain` takes a condition of SQL and says what the rows have in common for which it holds. */
export type Mode = "sql" | "promql" | "explain";

const MODES: readonly string[] = ["sql", "promql", "explain"] satisfies Mode[];

function isMode(text: string | null): text is Mode {
  return text !== null && MODES.includes(text);
}

export interface Place {
  mode: Mode;
  project: string;
  /** Absent: the page picks the first store of the kind that the mode reads. */
  store: string | undefined;
  /** Absent: nothing was asked yet. */
  query: string | undefined;
  /** What the rows of an explanation are compared with; absent: all others. */
  baseline?: string;
  range: TimeRange;
}

/** Where the query page was left, so that the navigation leads back to it. */
export const lastAddress = signal(href("/"));

export function readPlace(search: URLSearchParams): Place {
  const from = search.get("from");
  const unbounded = from === "all";
  const mode = search.get("mode");
  const baseline = search.get("baseline");
  return {
    mode: isMode(mode) ? mode : "sql",
    project: search.get("project") || "default",
    store: search.get("store") || undefined,
    query: search.get("q") || undefined,
    ...(baseline ? { baseline } : {}),
    range: unbounded
      ? { from: "", to: "" }
      : { from: from ?? defaultRange.from, to: search.get("to") ?? defaultRange.to },
  };
}

/** The parameters that `readPlace` reads back; what equals the default is left out. */
export function placeParameters(place: Place): Record<string, string | undefined> {
  const { from, to } = place.range;
  const unbounded = from === "" && to === "";
  return {
    mode: place.mode === "sql" ? undefined : place.mode,
    project: place.project === "default" ? undefined : place.project,
    store: place.store,
    q: place.query,
    baseline: place.baseline,
    from: unbounded ? "all" : from === defaultRange.from ? undefined : from,
    to: unbounded || to === defaultRange.to ? undefined : to,
  };
}

export function placeHref(place: Place): string {
  return href("/", placeParameters(place));
}

/** A name as SQL takes it; quoted always, because store and column names keep their case and dots. */
export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A string literal of SQL. */
export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** What the editor starts with for a store. */
export function firstQuery(store: string, kind: "logs" | "metrics"): string {
  if (kind === "logs") return `SELECT *\nFROM ${quoteName(store)}\nORDER BY _time DESC\nLIMIT 500`;
  return `SELECT metric, count(*) AS samples, max(_time) AS latest\nFROM ${quoteName(store)}\nGROUP BY metric\nORDER BY samples DESC`;
}
