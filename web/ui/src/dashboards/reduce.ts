// A column of values as one value, by Grafana's names of reducers.

export type Value = number | string | boolean | null;

function numbers(values: readonly Value[]): number[] {
  return values.filter((value): value is number => typeof value === "number" && !Number.isNaN(value));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function variance(values: readonly number[]): number {
  const mean = sum(values) / values.length;
  return sum(values.map((value) => (value - mean) ** 2)) / values.length;
}

/** Linear between the two nearest ranks. */
function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = (sorted.length - 1) * share;
  const low = sorted[Math.floor(rank)] ?? Number.NaN;
  const high = sorted[Math.ceil(rank)] ?? low;
  return low + (high - low) * (rank - Math.floor(rank));
}

function steps(values: readonly number[]): number[] {
  return values.slice(1).map((value, index) => value - (values[index] ?? value));
}

/** Increases only: a counter that falls has begun again. */
function delta(values: readonly number[]): number {
  return sum(steps(values).map((step, index) => (step >= 0 ? step : (values[index + 1] ?? 0))));
}

const OF_NUMBERS: Record<string, (values: number[]) => number> = {
  min: (values) => values.reduce((low, value) => Math.min(low, value), Infinity),
  max: (values) => values.reduce((high, value) => Math.max(high, value), -Infinity),
  logmin: (values) => values.filter((value) => value > 0).reduce((low, value) => Math.min(low, value), Infinity),
  mean: (values) => sum(values) / values.length,
  median: (values) => quantile(values, 0.5),
  sum,
  range: (values) => (OF_NUMBERS.max?.(values) ?? 0) - (OF_NUMBERS.min?.(values) ?? 0),
  delta,
  step: (values) => steps(values).reduce((low, value) => Math.min(low, value), Infinity),
  diff: (values) => (values.at(-1) ?? 0) - (values[0] ?? 0),
  diffperc: (values) => ((values.at(-1) ?? 0) - (values[0] ?? 0)) / (values[0] ?? 0),
  variance,
  stdDev: (values) => Math.sqrt(variance(values)),
};

const filled = (value: Value) => value !== null && !Number.isNaN(value);

const OF_VALUES: Record<string, (values: readonly Value[]) => Value> = {
  last: (values) => values.at(-1) ?? null,
  first: (values) => values[0] ?? null,
  lastNotNull: (values) => values.findLast(filled) ?? null,
  firstNotNull: (values) => values.find(filled) ?? null,
  count: (values) => values.filter((value) => value !== null).length,
  countAll: (values) => values.length,
  distinctCount: (values) => new Set(values).size,
  changeCount: (values) => values.filter((value, index) => index > 0 && value !== values[index - 1]).length,
  allIsZero: (values) => values.some((value) => value !== null) && values.every((value) => value === null || value === 0),
  allIsNull: (values) => values.every((value) => value === null),
  allValues: (values) => values.join(", "),
  uniqueValues: (values) => [...new Set(values)].join(", "),
};

/** Null where there is nothing to reduce. */
export function reduce(values: readonly Value[], name: string): Value {
  const general = OF_VALUES[name];
  if (general) return general(values);
  const counted = numbers(values);
  if (counted.length === 0) return null;
  const percentile = /^p(\d{1,2})$/.exec(name);
  const reduced = percentile ? quantile(counted, Number(percentile[1]) / 100) : OF_NUMBERS[name]?.(counted);
  return reduced === undefined || Number.isNaN(reduced) ? null : reduced;
}

const TITLES: Record<string, string> = {
  lastNotNull: "Last *",
  firstNotNull: "First *",
  last: "Last",
  first: "First",
  min: "Min",
  max: "Max",
  mean: "Mean",
  median: "Median",
  sum: "Total",
  count: "Count",
  range: "Range",
  delta: "Delta",
  diff: "Difference",
  diffperc: "Difference percent",
  stdDev: "StdDev",
  variance: "Variance",
};

/** The heading of a column, as Grafana writes it; boards sort by these. */
export function reducerTitle(name: string): string {
  const percentile = /^p(\d{1,2})$/.exec(name);
  return percentile ? `${percentile[1]}th %` : (TITLES[name] ?? name);
}
