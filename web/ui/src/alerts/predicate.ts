// From an explanation to the SQL that shows its rows, so that every claim can be checked by a click.
import type { Item, Slice } from "../lib/api";
import { firstQuery, placeHref, quoteName, quoteText } from "../query/location";

/** The type of a column of the slice's store, where it is known. */
export type TypeOf = (column: string) => string | undefined;

const NUMBER = "-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?";
const EDGE = new RegExp(`^(>=|<) (${NUMBER})$`);
const WITHIN = new RegExp(`^\\[(${NUMBER}), (${NUMBER})\\)$`);

function literal(value: string, type: string | undefined): string {
  const bare = /^(U?Int|Float|Decimal)/.test(type ?? "")
    ? new RegExp(`^${NUMBER}$`).test(value)
    : type === "Boolean" || type === "Bool";
  // A number must not be compared as text (1 and 1.0), nor text as a number (007 and 7).
  return bare ? value : quoteText(value);
}

/** `dimension = value` as SQL; ranges and a missing value are written by the server as `>= 5`, `< 5`, `[5, 9)`, `NULL`. */
export function itemPredicate({ dimension, value }: Pick<Item, "dimension" | "value">, typeOf: TypeOf): string {
  const name = quoteName(dimension);
  const type = typeOf(dimension);
  if (value === "NULL") return `${name} IS NULL`;
  if (type !== "Utf8") {
    const edge = EDGE.exec(value);
    if (edge) return `${name} ${edge[1]} ${edge[2]}`;
    const within = WITHIN.exec(value);
    if (within) return `${name} >= ${within[1]} AND ${name} < ${within[2]}`;
  }
  return `${name} = ${literal(value, type)}`;
}

export function itemsPredicate(items: Item[], typeOf: TypeOf): string {
  return items.map((item) => itemPredicate(item, typeOf)).join(" AND ");
}

/** The address of the query page with the rows of slice A, narrowed to an explanation's items if there are any. */
export function rowsHref(slice: Slice, items: Item[], typeOf: TypeOf): string {
  const narrowed = items.length > 0 ? `\n  AND ${itemsPredicate(items, typeOf)}` : "";
  const query = firstQuery(slice.store, "logs").replace("\nORDER BY", `\nWHERE (${slice.where})${narrowed}\nORDER BY`);
  const range = { from: slice.from, to: slice.to };
  return placeHref({ mode: "sql", project: slice.project, store: slice.store, query, range });
}

const STEPS_SECONDS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400];
const BINS = 80;
/** How much calm to show before the slice, in lengths of the slice. */
const LEAD = 2;

export interface TrendQuery {
  query: string;
  from: string;
  to: string;
}

/** The rows of slice A per time step, with the explanation's items and without, from before the slice to its end. */
export function trendQuery(slice: Slice, items: Item[], typeOf: TypeOf): TrendQuery {
  const end = Date.parse(slice.to);
  const length = Math.max(end - Date.parse(slice.from), 1000);
  const start = Date.parse(slice.from) - LEAD * length;
  const wanted = (end - start) / 1000 / BINS;
  const step = STEPS_SECONDS.find((seconds) => seconds >= wanted) ?? 86400;
  const having = itemsPredicate(items, typeOf);
  const query =
    `SELECT date_bin(INTERVAL '${step} seconds', _time) AS bin,\n` +
    `  count(*) FILTER (WHERE ${having}) AS having_it,\n  count(*) AS total\n` +
    `FROM ${quoteName(slice.store)}\nWHERE (${slice.where})\nGROUP BY 1\nORDER BY 1`;
  return { query, from: new Date(start).toISOString(), to: new Date(end).toISOString() };
}
