// The choices of a dashboard's variables and what is chosen: asked in the order in which they depend on each other.
import { labelNames, labelValues, type MetricStore, queryInstant, seriesName, seriesOf } from "../lib/prometheus";
import { type Held, interpolateQuery, references, type Scope } from "./interpolate";
import { macroTimes } from "./interval";
import type { Choice, Variable } from "./model";

export const ALL = "$__all";
/** A list longer than this is of no use to a person; the rest can be typed. */
const CHOICES_MAX = 5000;

const DEFAULT_STORE = "default/metrics";

/** What the address says, by variable. */
export type Chosen = Record<string, string[]>;

export interface Resolved {
  variable: Variable;
  choices: Choice[];
  values: string[];
  /** Why its choices are not there. */
  error?: string;
}

/** Those that others refer to come first; a circle keeps the order of the file. */
export function inOrder(variables: readonly Variable[]): Variable[] {
  const byName = new Map(variables.map((variable) => [variable.name, variable]));
  const done = new Set<string>();
  const ordered: Variable[] = [];
  const visit = (variable: Variable, above: ReadonlySet<string>) => {
    if (done.has(variable.name) || above.has(variable.name)) return;
    const path = new Set(above).add(variable.name);
    const needed = [...references(variable.query ?? ""), ...references(variable.regex ?? "")];
    if (variable.kind === "query") needed.push(variable.source ?? firstSource(variables)?.name ?? "");
    for (const name of needed) {
      const other = byName.get(name);
      if (other) visit(other, path);
    }
    done.add(variable.name);
    ordered.push(variable);
  };
  for (const variable of variables) visit(variable, new Set());
  return ordered;
}

export function firstSource(variables: readonly Variable[]): Variable | undefined {
  return variables.find((variable) => variable.kind === "datasource");
}

/** The metricstore that a query of this source asks. */
export function storeOf(source: string | undefined, variables: readonly Variable[], scope: Scope): MetricStore {
  const name = source ?? firstSource(variables)?.name ?? "";
  const [project = "", store = ""] = (scope[name]?.values[0] ?? "").split("/");
  return project && store ? { project, store } : { project: "default", store: "metrics" };
}

/** What a variable's chosen values mean in a text. */
export function held({ variable, choices, values }: Resolved): Held {
  const plural = Boolean(variable.multi || variable.include_all);
  if (!values.includes(ALL)) {
    const texts = values.map((value) => choices.find((choice) => choice.value === value)?.text ?? value);
    return { values, texts, plural };
  }
  const every = choices.map((choice) => choice.value);
  return { values: every, texts: ["All"], plural, allValue: variable.all_value };
}

export type ParsedQuery =
  | { ask: "label_values"; label: string; match?: string }
  | { ask: "label_names" }
  | { ask: "metrics"; pattern: string }
  | { ask: "query_result"; query: string }
  | { ask: "series"; match: string };

export function parseQuery(query: string): ParsedQuery {
  const text = query.trim();
  const labels = /^label_values\(\s*(?:([\s\S]+),\s*)?"?([^",()\s]+)"?\s*\)$/.exec(text);
  if (labels) return { ask: "label_values", label: labels[2] ?? "", match: labels[1]?.trim() || undefined };
  if (/^label_names\(.*\)$/.test(text)) return { ask: "label_names" };
  const metrics = /^metrics\((.*)\)$/.exec(text);
  if (metrics) return { ask: "metrics", pattern: metrics[1]?.trim() ?? "" };
  const result = /^query_result\(([\s\S]+)\)$/.exec(text);
  if (result) return { ask: "query_result", query: result[1] ?? "" };
  return { ask: "series", match: text };
}

interface Range {
  from: number;
  to: number;
}

async function answers(parsed: ParsedQuery, at: MetricStore, range: Range, signal: AbortSignal): Promise<string[]> {
  switch (parsed.ask) {
    case "label_values":
      return labelValues(at, parsed.label, parsed.match, signal);
    case "label_names":
      return labelNames(at, undefined, signal);
    case "metrics": {
      const pattern = new RegExp(parsed.pattern);
      return (await labelValues(at, "__name__", undefined, signal)).filter((name) => pattern.test(name));
    }
    case "query_result": {
      const data = await queryInstant(at, parsed.query, range.to / 1000, signal);
      if (data.resultType !== "vector") return data.resultType === "matrix" ? [] : [data.result[1]];
      return data.result.map(({ metric, value: [time, value] }) => `${compact(metric)} ${value} ${Math.round(time * 1000)}`);
    }
    case "series": {
      const grid = { start: range.from / 1000, end: range.to / 1000, step: 60 };
      return (await seriesOf(at, parsed.match, grid, signal)).map(compact);
    }
  }
}

/** `name{a="b",c="d"}`: regular expressions of boards are written for this form. */
function compact(labels: Record<string, string>): string {
  return seriesName(labels).replaceAll('", ', '",');
}

/** `/pattern/flags` or a bare pattern. */
export function regexOf(text: string): RegExp {
  const found = /^\/([\s\S]*)\/([a-z]*)$/.exec(text);
  return found ? new RegExp(found[1] ?? "", (found[2] ?? "").replace("g", "")) : new RegExp(text);
}

/** Picks value and text out of each answer; what does not match is no choice. */
export function pick(found: readonly string[], regex: string | undefined): Choice[] {
  const pattern = regex ? regexOf(regex) : undefined;
  const choices = new Map<string, Choice>();
  for (const one of found) {
    const match = pattern?.exec(one);
    if (pattern && !match) continue;
    const value = match ? (match.groups?.value ?? match[1] ?? match[0]) : one;
    if (value !== "" && !choices.has(value)) choices.set(value, { value, text: match?.groups?.text ?? value });
  }
  return [...choices.values()];
}

const byText = (a: Choice, b: Choice) => (a.text < b.text ? -1 : Number(a.text > b.text));
const byNumber = (a: Choice, b: Choice) => firstNumber(a.text) - firstNumber(b.text);
const byTextAnyCase = (a: Choice, b: Choice) => a.text.localeCompare(b.text, undefined, { sensitivity: "base" });
const byNature = (a: Choice, b: Choice) => a.text.localeCompare(b.text, undefined, { numeric: true });

function firstNumber(text: string): number {
  const found = /-?\d+(\.\d+)?/.exec(text);
  return found ? Number(found[0]) : -1;
}

const ORDERS = [byText, byNumber, byTextAnyCase, byNature];

/** Grafana's numbers: odd is ascending, even descending, by the four orders in turn. */
export function sorted(choices: Choice[], sort: number): Choice[] {
  const order = ORDERS[Math.ceil(sort / 2) - 1];
  if (!order) return choices;
  return sort % 2 === 1 ? choices.toSorted(order) : choices.toSorted((a, b) => order(b, a));
}

/** What is chosen: the address, else the dashboard's own choice, where these exist; else the first or all. */
export function choose(variable: Variable, choices: readonly Choice[], asked: string[] | undefined): string[] {
  const free = variable.kind === "textbox" || variable.kind === "constant";
  if (free) return asked ?? variable.current ?? [variable.query ?? ""];
  const possible = (value: string) =>
    (value === ALL && Boolean(variable.include_all)) || choices.some((choice) => choice.value === value);
  const own = (variable.current ?? []).map((value) => (value.startsWith("$__auto") ? "$__auto" : value));
  for (const values of [asked ?? [], own]) {
    const valid = values.filter(possible);
    if (valid.length > 0) return variable.multi ? valid : valid.slice(0, 1);
  }
  if (variable.include_all) return [ALL];
  return choices.slice(0, 1).map((choice) => choice.value);
}

export interface Asked {
  variables: readonly Variable[];
  chosen: Chosen;
  stores: readonly MetricStore[];
  range: Range;
}

async function choicesOf(variable: Variable, asked: Asked, scope: Scope, signal: AbortSignal): Promise<Choice[]> {
  if (variable.kind === "datasource") {
    const known = asked.stores.map(({ project, store }) => `${project}/${store}`);
    // The store that the unprefixed routes ask comes first, and so is the choice where a board has none.
    const first = known.length === 0 || known.includes(DEFAULT_STORE) ? [DEFAULT_STORE] : [];
    return pick([...first, ...known, ...(variable.current ?? [])], undefined);
  }
  if (variable.kind !== "query") return variable.options ?? [];
  const times = macroTimes({ ...asked.range, points: 500 });
  const parsed = parseQuery(interpolateQuery(variable.query ?? "", scope, times));
  const found = await answers(parsed, storeOf(variable.source, asked.variables, scope), asked.range, signal);
  const regex = variable.regex && interpolateQuery(variable.regex, scope, times);
  return sorted(pick(found.slice(0, CHOICES_MAX), regex), variable.sort);
}

/** Resolves all of them; a variable that fails keeps its own choice, so that the rest of the page works. */
export async function resolveAll(asked: Asked, signal: AbortSignal): Promise<Resolved[]> {
  const scope: Scope = {};
  const resolved = new Map<string, Resolved>();
  for (const variable of inOrder(asked.variables)) {
    let one: Resolved;
    try {
      const choices = await choicesOf(variable, asked, scope, signal);
      one = { variable, choices, values: choose(variable, choices, asked.chosen[variable.name]) };
    } catch (cause) {
      if (signal.aborted) throw cause;
      const values = asked.chosen[variable.name] ?? variable.current ?? [];
      one = { variable, choices: [], values, error: cause instanceof Error ? cause.message : String(cause) };
    }
    scope[variable.name] = held(one);
    resolved.set(variable.name, one);
  }
  return asked.variables.flatMap((variable) => resolved.get(variable.name) ?? []);
}

export function scopeOf(resolved: readonly Resolved[]): Scope {
  return Object.fromEntries(resolved.map((one) => [one.variable.name, held(one)]));
}
