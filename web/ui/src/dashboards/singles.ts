// The single values of stat, gauge and bar gauge panels.
import { display, type Displayed, rangeOf, type Shown, shown } from "./display";
import type { Panel, Reduce } from "./model";
import { reduce } from "./reduce";
import type { PanelData } from "./run";
import { regexOf } from "./variables";

export interface Single {
  name: string;
  displayed: Displayed;
  min: number;
  max: number;
  shown: Shown;
  /** The values over time, where the panel draws them. */
  history: (number | null)[];
}

/** More than this many values no panel has room for. */
const SINGLES_MAX = 200;

function selected(fields: Shown[], wanted: string | undefined): Shown[] {
  if (!wanted) return fields.filter(({ field }) => field.type === "number");
  const pattern = wanted.startsWith("/") ? regexOf(wanted) : undefined;
  return fields.filter((one) => (pattern ? pattern.test(one.name) : one.name === wanted || one.field.name === wanted));
}

/** Gauges reach from 0 to 100 (1 for shares) where nobody says it. */
function bounds(one: Shown, full: boolean): { min: number; max: number } {
  if (!full) return rangeOf(one);
  return { min: one.options.min ?? 0, max: one.options.max ?? (one.options.unit === "percentunit" ? 1 : 100) };
}

export function singles(panel: Panel, data: PanelData, how: Reduce, dark: boolean, gauge: boolean): Single[] {
  const fields = selected(shown(data.frames, panel.field, panel.overrides), how.fields);
  const all = fields.flatMap((one): Single[] => {
    const history = one.field.values.map((value) => (typeof value === "number" && Number.isFinite(value) ? value : null));
    const make = (value: Single["displayed"], name: string): Single => ({ name, displayed: value, ...bounds(one, gauge), shown: one, history });
    // Percentages of thresholds are of the gauge's range.
    const ranged = gauge ? { ...one, options: { ...one.options, ...bounds(one, true) } } : one;
    if (!how.all_values) return [make(display(reduce(one.field.values, how.calc), ranged, dark, "thresholds"), one.name)];
    const labels = one.frame.fields.find((field) => field.type === "string");
    return one.field.values
      .slice(0, how.limit ?? SINGLES_MAX)
      .map((value, row) => make(display(value, ranged, dark, "thresholds"), String(labels?.values[row] ?? one.name)));
  });
  return all.slice(0, SINGLES_MAX);
}

/** What a panel without any value says. */
export function emptyText(panel: Panel): string {
  const special = panel.field.mappings?.find((mapping) => mapping.type === "special" && mapping.matches.includes("null"));
  return panel.field.no_value ?? special?.text ?? "No data";
}
