// From series with their own times to the columns that uPlot wants: one time axis, one value column per series.

export type Cell = number | null | undefined;

export interface Line {
  times: ArrayLike<number>;
  values: ArrayLike<Cell>;
}

export interface Aligned {
  times: number[];
  columns: Cell[][];
}

function sameTimes(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index += 1) {
    if (a[index] !== b[index]) return false;
  }
  return true;
}

/**
 * Joins lines over the union of their times. A `null` of a line stays a gap; a time that a line does not know becomes
 * `undefined`, which uPlot draws through: another series' sampling must not cut this one.
 */
export function align(lines: Line[]): Aligned {
  const first = lines[0];
  if (!first) return { times: [], columns: [] };
  if (lines.every((line) => sameTimes(line.times, first.times)) && isAscending(first.times)) {
    return { times: Array.from(first.times), columns: lines.map((line) => Array.from(line.values)) };
  }
  const times = [...new Set(lines.flatMap((line) => Array.from(line.times)))].toSorted((a, b) => a - b);
  const place = new Map(times.map((time, index) => [time, index]));
  const columns = lines.map((line) => {
    const column = new Array<Cell>(times.length).fill(undefined);
    for (let index = 0; index < line.times.length; index += 1) {
      const at = place.get(line.times[index] as number);
      if (at !== undefined) column[at] = line.values[index];
    }
    return column;
  });
  return { times, columns };
}

function isAscending(times: ArrayLike<number>): boolean {
  for (let index = 1; index < times.length; index += 1) {
    if ((times[index] as number) <= (times[index - 1] as number)) return false;
  }
  return true;
}

export type Stacking = "none" | "normal" | "percent";

/** Running sums over the visible columns, first at the bottom; hidden columns keep their own values. */
export function stack(columns: Cell[][], hidden: ReadonlySet<number>, stacking: Stacking): Cell[][] {
  if (stacking === "none") return columns;
  const length = columns[0]?.length ?? 0;
  const totals = new Array<number>(length).fill(0);
  if (stacking === "percent") {
    columns.forEach((column, index) => {
      if (!hidden.has(index)) column.forEach((value, at) => (totals[at] = (totals[at] ?? 0) + (value ?? 0)));
    });
  }
  const sums = new Array<number>(length).fill(0);
  return columns.map((column, index) => {
    if (hidden.has(index)) return column;
    return column.map((value, at) => {
      const share = stacking === "percent" ? (totals[at] ? (value ?? 0) / (totals[at] as number) : 0) : (value ?? 0);
      sums[at] = (sums[at] ?? 0) + share;
      return sums[at];
    });
  });
}

export interface Summary {
  last: number | null;
  min: number | null;
  max: number | null;
  mean: number | null;
}

/** What a legend says about one line; gaps do not count. */
export function summarise(values: ArrayLike<Cell>): Summary {
  let last: number | null = null;
  let min: number | null = null;
  let max: number | null = null;
  let sum = 0;
  let count = 0;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    if (value === null || value === undefined || Number.isNaN(value)) continue;
    last = value;
    min = min === null ? value : Math.min(min, value);
    max = max === null ? value : Math.max(max, value);
    sum += value;
    count += 1;
  }
  return { last, min, max, mean: count ? sum / count : null };
}
