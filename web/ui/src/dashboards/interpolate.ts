// Puts the values of variables and `$__…` into queries, legends and titles.
import { durationText, type MacroTimes } from "./interval";

/** What a variable holds at the moment. */
export interface Held {
  values: string[];
  /** As shown to people; one per value. */
  texts?: string[];
  /** Whether several values are possible: then a query gets them as a regular expression. */
  plural: boolean;
  /** Stands for all values, as it is. */
  allValue?: string;
}

export type Scope = Record<string, Held>;

const REFERENCE = /\$\{(\w+)(?:\.([^:}]+))?(?::([^}]+))?\}|\[\[(\w+)(?::(\w+))?\]\]|\$(\w+)/g;

/** The names that a text refers to. */
export function references(text: string): string[] {
  return [...text.matchAll(REFERENCE)].map((found) => found[1] ?? found[4] ?? found[6] ?? "");
}

/** A value inside a PromQL string: one backslash of the regular expression is two in the string's source. */
function escapeForRegex(value: string): string {
  return value.replace(/\\/g, "\\\\\\\\").replace(/[$^*{}[\]'+?.()|]/g, "\\\\$&");
}

function escapeForString(value: string): string {
  return value.replace(/\\/g, "\\\\").replace(/"/g, '\\"');
}

function promql(held: Held): string {
  if (held.allValue !== undefined) return held.allValue;
  if (!held.plural) return escapeForString(held.values[0] ?? "");
  const escaped = held.values.map(escapeForRegex);
  return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
}

const quoted = (quote: string, escape: string) => (held: Held) =>
  held.values.map((value) => quote + value.replaceAll(quote, escape) + quote).join(",");

const FORMATS: Record<string, (held: Held) => string> = {
  csv: (held) => held.values.join(","),
  raw: (held) => held.values.join(","),
  pipe: (held) => held.values.join("|"),
  glob: (held) => (held.values.length > 1 ? `{${held.values.join(",")}}` : (held.values[0] ?? "")),
  json: (held) => JSON.stringify(held.values),
  regex: (held) => {
    const escaped = held.values.map((value) => value.replace(/[\\^$*+?.()|[\]{}/]/g, "\\$&"));
    return escaped.length === 1 ? (escaped[0] ?? "") : `(${escaped.join("|")})`;
  },
  doublequote: quoted('"', '\\"'),
  singlequote: quoted("'", "\\'"),
  sqlstring: quoted("'", "''"),
  percentencode: (held) => encodeURIComponent(held.values.join(",")),
  text: (held) => (held.texts ?? held.values).join(" + "),
};

function write(held: Held, format: string | undefined, fallback: (held: Held) => string): string {
  // A custom "all" replaces every form but the one for people.
  if (held.allValue !== undefined && format !== "text" && fallback !== asText) return held.allValue;
  return (format ? (FORMATS[format] ?? fallback) : fallback)(held);
}

const asText = (held: Held) => (held.texts ?? held.values).join(" + ");

function macro(name: string, times: MacroTimes): string | undefined {
  const range = times.to - times.from;
  switch (name) {
    case "__rate_interval":
      return durationText(times.rateInterval);
    case "__interval":
    case "__auto":
      return durationText(times.interval);
    case "__interval_ms":
      return String(times.interval);
    case "__interval_s":
      return String(Math.max(Math.round(times.interval / 1000), 1));
    case "__range":
      return `${Math.max(Math.round(range / 1000), 1)}s`;
    case "__range_s":
      return String(Math.max(Math.round(range / 1000), 1));
    case "__range_ms":
      return String(range);
    case "__from":
      return String(times.from);
    case "__to":
      return String(times.to);
    default:
      return undefined;
  }
}

function replace(text: string, scope: Scope, times: MacroTimes | undefined, how: (held: Held) => string): string {
  return text.replace(REFERENCE, (whole: string, braced, _path, format, bracketed, bracketFormat, bare) => {
    const name: string = braced ?? bracketed ?? bare;
    const held = Object.hasOwn(scope, name) ? scope[name] : undefined;
    if (!held) return (times && macro(name, times)) ?? whole;
    // An interval may hold the page's own step.
    const resolved = times ? held.values.map((value) => value.replace(/^\$__auto\w*$/, durationText(times.interval))) : held.values;
    return write({ ...held, values: resolved }, format ?? bracketFormat, how);
  });
}

/** A PromQL query ready to be sent. A name that nothing defines stays, and the server says so. */
export function interpolateQuery(query: string, scope: Scope, times: MacroTimes): string {
  return replace(query, scope, times, promql);
}

/** Titles, legends and texts. */
export function interpolateText(text: string, scope: Scope, times?: MacroTimes): string {
  return replace(text, scope, times, asText);
}

/** `{{label}}` of a legend; `undefined` where the series should be named by its labels. */
export function legendName(template: string | undefined, labels: Record<string, string>): string | undefined {
  if (!template || template === "__auto") return undefined;
  return template.replace(/\{\{\s*([^}]+?)\s*\}\}/g, (_, name: string) => labels[name] ?? "");
}
