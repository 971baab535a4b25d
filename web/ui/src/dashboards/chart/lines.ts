// From fields to the lines of a time series: colours, signs, scales and stacks.
import type { Cell } from "../../lib/chart/align";
import { valueColor } from "../colors";
import { rangeOf, type Shown } from "../display";
import type { FieldOptions } from "../model";
import { reduce } from "../reduce";

export interface Line {
  shown: Shown;
  name: string;
  color: string;
  /** Unix seconds. */
  times: number[];
  /** As measured; what is drawn has sign and stack applied. */
  values: Cell[];
  /** The key of its value axis. */
  scale: string;
}

/** Fields with the same key share an axis. */
function scaleKey(options: FieldOptions): string {
  const side = options.axis === "right" ? "right" : "left";
  return JSON.stringify([side, options.unit ?? "", options.scale?.log ?? 0, options.min ?? null, options.max ?? null]);
}

function numbers(shown: Shown): Cell[] {
  const zero = shown.options.null_as_zero === true;
  return shown.field.values.map((value) => (typeof value === "number" && Number.isFinite(value) ? value : zero ? 0 : null));
}

/** Scales are named `y`, `y2`, … in the order of their first line. */
export function linesOf(fields: readonly Shown[], dark: boolean): Line[] {
  const scales = new Map<string, string>();
  let index = 0;
  return fields.flatMap((shown) => {
    const { field, frame, options } = shown;
    if (field.type !== "number" || options.hide_from?.viz) return [];
    const time = frame.fields.find((other) => other.type === "time");
    if (!time) return [];
    const key = scaleKey(options);
    const scale = scales.get(key) ?? (scales.size === 0 ? "y" : `y${scales.size + 1}`);
    scales.set(key, scale);
    const last = reduce(field.values, "lastNotNull");
    const coloring = { options, index, ...rangeOf(shown), dark };
    index += 1;
    const color = valueColor(typeof last === "number" ? last : null, coloring, "palette-classic");
    const times = time.values.map((value) => Number(value) / 1000);
    return [{ shown, name: shown.name, color, times, values: numbers(shown), scale }];
  });
}

export interface Drawn {
  columns: Cell[][];
  /** [upper line, lower line] of the areas between stacked lines. */
  bands: [number, number][];
}

function stackKey({ shown: { options }, scale }: Line): string | undefined {
  const { stacking, transform } = options;
  if (!stacking || stacking.mode === "none") return undefined;
  return [stacking.mode, stacking.group, scale, transform === "negative-Y"].join("|");
}

/** Sums up stacked columns from the first line on; lines below zero have a stack of their own. */
export function drawn(lines: readonly Line[], columns: readonly Cell[][], hidden: ReadonlySet<number>): Drawn {
  const signed = columns.map((column, index) => {
    const sign = lines[index]?.shown.options.transform === "negative-Y" ? -1 : 1;
    return sign < 0 ? column.map((value) => (typeof value === "number" ? -value : value)) : [...column];
  });
  const groups = new Map<string, number[]>();
  lines.forEach((line, index) => {
    const key = stackKey(line);
    if (key && !hidden.has(index)) groups.set(key, [...(groups.get(key) ?? []), index]);
  });
  const bands: [number, number][] = [];
  for (const [key, members] of groups) {
    const length = signed[members[0] ?? 0]?.length ?? 0;
    const sums = new Array<number>(length).fill(0);
    const totals = key.startsWith("percent") ? totalsOf(members.map((index) => signed[index] ?? []), length) : undefined;
    members.forEach((index, position) => {
      const column = signed[index];
      if (!column) return;
      for (let row = 0; row < length; row += 1) {
        const value = column[row];
        if (typeof value !== "number") continue;
        const total = totals ? Math.abs(totals[row] ?? 0) : 1;
        sums[row] = (sums[row] ?? 0) + (total === 0 ? 0 : value / total);
        column[row] = sums[row];
      }
      const below = members[position - 1];
      if (below !== undefined) bands.push([index, below]);
    });
  }
  return { columns: signed, bands };
}

function totalsOf(columns: readonly Cell[][], length: number): number[] {
  return Array.from({ length }, (_, row) => columns.reduce((total, column) => total + (column[row] ?? 0), 0));
}

/** Nulls shorter than the field's bound become `undefined`, which uPlot draws through. */
export function bridged(column: Cell[], times: readonly number[], span: boolean | number | undefined): Cell[] {
  if (typeof span !== "number") return column;
  const result = [...column];
  let last = -1;
  for (let row = 0; row < result.length; row += 1) {
    if (typeof result[row] !== "number") continue;
    if (last >= 0 && ((times[row] ?? 0) - (times[last] ?? 0)) * 1000 <= span) result.fill(undefined, last + 1, row);
    last = row;
  }
  return result;
}
