// Whether and how the rows of a SQL result go over time: lines where the query aggregated, else how many rows came when.
import type { Column, SqlResult } from "../lib/api";
import type { ChartSeries } from "../lib/TimeChart";
import { cellNumber, isNumeric, isTime } from "./cells";

const VALUE_COLUMNS_MAX = 8;
const KEY_COLUMNS_MAX = 2;
const LINES_MAX = 40;
const BUCKETS = 60;

export interface ResultChart {
  kind: "lines" | "rows";
  series: ChartSeries[];
  label: string;
  /** Unix seconds; absent: as far as the lines go. */
  range?: { from: number; to: number };
}

function seconds(value: unknown): number {
  return typeof value === "string" ? Date.parse(value) / 1000 : NaN;
}

interface Shape {
  time: number;
  values: number[];
  keys: number[];
}

/** The roles of the columns, if the result looks aggregated: one time, a few numbers, hardly any text. */
function shapeOf(columns: Column[]): Shape | undefined {
  const indexes = columns.map((_, index) => index);
  const time = indexes.find((index) => isTime(columns[index] as Column));
  if (time === undefined) return undefined;
  const rest = indexes.filter((index) => index !== time);
  const values = rest.filter((index) => isNumeric(columns[index] as Column));
  const keys = rest.filter((index) => !values.includes(index));
  return { time, values, keys };
}

function lineName(result: SqlResult, shape: Shape, row: unknown[], value: number): string {
  const key = shape.keys.map((index) => String(row[index] ?? "null")).join(" · ");
  const column = result.columns[value]?.name ?? "";
  if (!key) return column;
  return shape.values.length > 1 ? `${key} · ${column}` : key;
}

function lines(result: SqlResult, shape: Shape): ChartSeries[] | undefined {
  const points = new Map<string, { time: number; value: number | null }[]>();
  for (const row of result.rows) {
    const time = seconds(row[shape.time]);
    if (Number.isNaN(time)) continue;
    for (const value of shape.values) {
      const name = lineName(result, shape, row, value);
      const line = points.get(name) ?? [];
      if (line.length === 0) points.set(name, line);
      line.push({ time, value: cellNumber(row[value]) });
    }
    if (points.size > LINES_MAX) return undefined;
  }
  const series: ChartSeries[] = [];
  for (const [name, line] of points) {
    line.sort((a, b) => a.time - b.time);
    const repeated = line.some((point, index) => index > 0 && point.time === line[index - 1]?.time);
    // Two rows of one line at one time: these are single events and not an aggregate over time.
    if (repeated) return undefined;
    series.push({ name, times: line.map((point) => point.time), values: line.map((point) => point.value) });
  }
  return series;
}

function rowsOverTime(result: SqlResult, time: number): ResultChart | undefined {
  const at = result.rows.map((row) => seconds(row[time])).filter((value) => !Number.isNaN(value));
  if (at.length < 2) return undefined;
  const first = at.reduce((a, b) => Math.min(a, b));
  const last = at.reduce((a, b) => Math.max(a, b));
  if (first === last) return undefined;
  const width = (last - first) / BUCKETS;
  const counts = new Array<number>(BUCKETS).fill(0);
  for (const value of at) {
    const bucket = Math.min(Math.floor((value - first) / width), BUCKETS - 1);
    counts[bucket] = (counts[bucket] ?? 0) + 1;
  }
  const times = counts.map((_, index) => first + (index + 0.5) * width);
  return {
    kind: "rows",
    series: [{ name: "rows", times, values: counts, draw: "bars", fill: 0.6, width: 1 }],
    label: "Rows of this result over time",
    range: { from: first, to: last },
  };
}

/** `undefined` where there is nothing to draw over time. */
export function chartOf(result: SqlResult): ResultChart | undefined {
  const shape = shapeOf(result.columns);
  if (!shape || result.rows.length < 2) return undefined;
  const aggregated =
    shape.values.length > 0 && shape.values.length <= VALUE_COLUMNS_MAX && shape.keys.length <= KEY_COLUMNS_MAX;
  const series = aggregated ? lines(result, shape) : undefined;
  if (series && series.some((line) => line.times.length > 1)) {
    return { kind: "lines", series, label: `${series.length} lines over time` };
  }
  return rowsOverTime(result, shape.time);
}
