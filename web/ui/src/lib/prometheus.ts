// The Prometheus routes of one metricstore, and the step that turns a matrix into lines of a chart.
import { type LabelSet, type MatrixSeries, type PromResult, request } from "./api";
import type { ChartSeries } from "./TimeChart";

/** A metricstore inside a project. */
export interface MetricStore {
  project: string;
  store: string;
}

/** What a range query covers, in Unix seconds. */
export interface Grid {
  start: number;
  end: number;
  step: number;
}

export function root(at: MetricStore): string {
  return `/prometheus/${encodeURIComponent(at.project)}/${encodeURIComponent(at.store)}/api/v1`;
}

async function get<T>(at: MetricStore, path: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const search = new URLSearchParams(query).toString();
  return (await request<{ data: T }>(`${root(at)}/${path}?${search}`, { signal })).data;
}

/** POST with a form, as every Prometheus client does: a query may be longer than an address. */
async function form<T>(at: MetricStore, path: string, query: Record<string, string>, signal?: AbortSignal): Promise<T> {
  const body = new URLSearchParams(query);
  return (await request<{ data: T }>(`${root(at)}/${path}`, { method: "POST", body, signal })).data;
}

export function queryInstant(at: MetricStore, query: string, time: number, signal?: AbortSignal): Promise<PromResult> {
  return form(at, "query", { query, time: String(time) }, signal);
}

export async function queryRange(
  at: MetricStore,
  query: string,
  grid: Grid,
  signal?: AbortSignal,
): Promise<MatrixSeries[]> {
  const asked = { query, start: String(grid.start), end: String(grid.end), step: String(grid.step) };
  const data = await form<PromResult>(at, "query_range", asked, signal);
  return data.resultType === "matrix" ? data.result : [];
}

export function labelNames(at: MetricStore, match?: string, signal?: AbortSignal): Promise<string[]> {
  return get(at, "labels", match ? { "match[]": match } : {}, signal);
}

export function labelValues(at: MetricStore, name: string, match?: string, signal?: AbortSignal): Promise<string[]> {
  return get(at, `label/${encodeURIComponent(name)}/values`, match ? { "match[]": match } : {}, signal);
}

export function seriesOf(at: MetricStore, match: string, grid: Grid, signal?: AbortSignal): Promise<LabelSet[]> {
  return get(at, "series", { "match[]": match, start: String(grid.start), end: String(grid.end) }, signal);
}

const NICE_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];

/** The smallest round step that keeps `from..to` (Unix seconds) at `points` or fewer, with its ends on the grid. */
export function gridFor(from: number, to: number, points = 300): Grid {
  const wanted = Math.max((to - from) / points, 1);
  const step = NICE_STEPS.find((candidate) => candidate >= wanted) ?? Math.ceil(wanted / 86400) * 86400;
  const end = Math.floor(to / step) * step;
  return { start: Math.min(Math.ceil(from / step) * step, end), end, step };
}

/** `name{a="b"}` as a person would type it. */
export function seriesName(metric: LabelSet): string {
  const { __name__: name = "", ...labels } = metric;
  const inside = Object.entries(labels)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(", ");
  return inside || !name ? `${name}{${inside}}` : name;
}

/** A sample's text as a number; Prometheus writes `+Inf`, which `Number` does not read. */
export function sampleValue(text: string): number {
  if (text === "+Inf" || text === "Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  return Number(text);
}

/** One line per series on the grid; a step without a sample is a gap, and so is a value that cannot be drawn. */
export function matrixToSeries(matrix: MatrixSeries[], grid: Grid, name = seriesName): ChartSeries[] {
  const length = Math.max(Math.round((grid.end - grid.start) / grid.step) + 1, 1);
  const times = Array.from({ length }, (_, index) => grid.start + index * grid.step);
  return matrix.map((series) => {
    const values = new Array<number | null>(length).fill(null);
    for (const [time, text] of series.values) {
      const index = Math.round((time - grid.start) / grid.step);
      const value = sampleValue(text);
      if (index >= 0 && index < length && Number.isFinite(value)) values[index] = value;
    }
    return { name: name(series.metric), times, values };
  });
}
