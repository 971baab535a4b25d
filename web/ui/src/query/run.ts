// One run of the query page: what is asked of the server for a place, and what came back with its cost.
import { explain, type MatrixSeries, type PromResult, type ProvisionalReport, sql, type SqlResult } from "../lib/api";
import { type Grid, gridFor, queryInstant, queryRange } from "../lib/prometheus";
import { resolveRange, resolveTime } from "../lib/timerange";
import { messageOf } from "../lib/useTask";
import type { Place } from "./location";

export interface PromAnswer {
  matrix: MatrixSeries[] | undefined;
  instant: PromResult | undefined;
  grid: Grid;
  /** Why there is no chart although there is a value: a range vector or a string has none. */
  rangeNote: string | undefined;
}

export type Answer =
  | { mode: "sql"; result: SqlResult; totalMs: number }
  | { mode: "promql"; result: PromAnswer; totalMs: number }
  | { mode: "explain"; result: ProvisionalReport; place: Place; totalMs: number };

function isoTime(text: string, now: number): string | undefined {
  const ms = resolveTime(text, now);
  return ms === undefined || ms === null ? undefined : new Date(ms).toISOString();
}

async function runPromql(place: Place, store: string, signal: AbortSignal): Promise<PromAnswer> {
  const at = { project: place.project, store };
  const query = place.query ?? "";
  const { from, to } = resolveRange(place.range);
  const grid = gridFor(from / 1000, to / 1000);
  const [range, instant] = await Promise.allSettled([
    queryRange(at, query, grid, signal),
    queryInstant(at, query, grid.end, signal),
  ]);
  // Where both fail they fail alike, and the instant query words it without the limits of a range.
  if (instant.status === "rejected") throw instant.reason;
  return {
    matrix: range.status === "fulfilled" ? range.value : undefined,
    instant: instant.value,
    grid,
    rangeNote: range.status === "rejected" ? messageOf(range.reason) : undefined,
  };
}

/** Asks the server. `store` is what PromQL reads, or whose rows are explained; SQL names its stores itself. */
export async function runQuery(
  place: Place,
  store: string,
  signal: AbortSignal,
  show: (answer: Answer) => void,
): Promise<Answer> {
  const started = performance.now();
  if (place.mode === "explain") {
    const answer = (result: ProvisionalReport): Answer => {
      return { mode: "explain", result, place: { ...place, store }, totalMs: performance.now() - started };
    };
    const at = Date.now();
    const asked = {
      project: place.project,
      store,
      where: place.query ?? "",
      baseline: place.baseline,
      from: isoTime(place.range.from, at),
      to: isoTime(place.range.to, at),
    };
    return answer(await explain(asked, signal, (report) => show(answer(report))));
  }
  if (place.mode === "promql") {
    const result = await runPromql(place, store, signal);
    return { mode: "promql", result, totalMs: performance.now() - started };
  }
  const now = Date.now();
  const asked = {
    project: place.project,
    query: place.query ?? "",
    from: isoTime(place.range.from, now),
    to: isoTime(place.range.to, now),
  };
  return { mode: "sql", result: await sql(asked, signal), totalMs: performance.now() - started };
}

function counted(count: number, noun: string): string {
  const plural = noun === "series" ? noun : `${noun}s`;
  return `${count.toLocaleString("en-US")} ${count === 1 ? noun : plural}`;
}

/** The line that is always there after a run: how much, and how long it took. */
export function statistics(answer: Answer): string {
  const total = `${Math.round(answer.totalMs)} ms`;
  if (answer.mode === "sql") {
    const { rows, columns, elapsed_ms: server } = answer.result;
    return [
      counted(rows.length, "row"),
      counted(columns.length, "column"),
      `${Math.round(server)} ms on the server`,
      `${total} in all`,
    ].join(" · ");
  }
  if (answer.mode === "explain") {
    const { rows, explanations, exact, provisional, elapsed_ms: server } = answer.result;
    const state = provisional ? "searching on" : exact ? "exact" : "partial";
    return [
      `${counted(rows, "row")} read`,
      counted(explanations.length, "explanation"),
      state,
      `${Math.round(server)} ms on the server`,
      `${total} in all`,
    ].join(" · ");
  }
  const { matrix, grid } = answer.result;
  const points = matrix?.reduce((sum, series) => sum + series.values.length, 0) ?? 0;
  return [counted(matrix?.length ?? 0, "series"), counted(points, "point"), `step ${grid.step} s`, total].join(" · ");
}
