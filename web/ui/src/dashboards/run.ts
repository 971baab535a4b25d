// A panel's queries: their variables filled in, asked of their stores, and the answers as transformed frames.
import { type SqlResult, sql } from "../lib/api";
import { type MetricStore, queryInstant, queryRange } from "../lib/prometheus";
import { messageOf } from "../lib/useTask";
import { type Field, type Frame, seriesFrames, tableFrame } from "./frames";
import { interpolateQuery, interpolateText, legendName, type Scope } from "./interpolate";
import { durationMs, macroTimes } from "./interval";
import type { Panel, Target, Variable } from "./model";
import { type Moments, panelMoments } from "./time";
import { transform } from "./transform";
import { storeOf } from "./variables";

/** What the page holds for all panels. */
export interface PageContext {
  range: Moments;
  scope: Scope;
  variables: readonly Variable[];
}

export interface PanelData {
  frames: Frame[];
  range: Moments;
  /** One line per query that failed; the others are shown. */
  errors: string[];
}

interface Ask {
  at: MetricStore;
  target: Target;
  query: string;
  range: Moments;
  stepMs: number;
  valueName: string;
  scope: Scope;
}

async function askPromql({ at, target, query, range, stepMs, valueName, scope }: Ask, signal: AbortSignal): Promise<Frame[]> {
  const legend = (labels: Record<string, string>) => legendName(target.legend && interpolateText(target.legend, scope), labels);
  const asked = { refId: target.ref_id, legend };
  if (target.instant) {
    const data = await queryInstant(at, query, range.to / 1000, signal);
    return target.format === "table" ? [tableFrame(data, target.ref_id, valueName)] : seriesFrames(data, asked);
  }
  // Steps lie on multiples of themselves, so that a refresh moves the window and not every point in it.
  const step = stepMs / 1000;
  const end = Math.floor(range.to / 1000 / step) * step;
  const start = Math.min(Math.ceil(range.from / 1000 / step) * step, end);
  const grid = { start, end, step };
  const result = await queryRange(at, query, grid, signal);
  if (target.format === "table") return [tableFrame({ resultType: "matrix", result }, target.ref_id, valueName)];
  return seriesFrames({ resultType: "matrix", result }, { ...asked, grid });
}

function sqlFrame(result: SqlResult, refId: string): Frame {
  const fields = result.columns.map((column, index): Field => {
    const values = result.rows.map((row) => row[index]);
    if (column.type.startsWith("Timestamp")) {
      return { name: column.name, type: "time", values: values.map((value) => Date.parse(String(value))) };
    }
    const numeric = /^(Int|UInt|Float|Decimal)/.test(column.type);
    const cell = (value: unknown) => (value === null || value === undefined ? null : numeric ? Number(value) : String(value));
    return { name: column.name, type: numeric ? "number" : "string", values: values.map(cell) };
  });
  return { refId, fields };
}

async function ask(request: Ask, signal: AbortSignal): Promise<Frame[]> {
  if (request.target.language === "promql") return askPromql(request, signal);
  const { from, to } = request.range;
  const bounds = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  const result = await sql({ project: request.at.project, query: request.query, ...bounds }, signal);
  return [sqlFrame(result, request.target.ref_id)];
}

/** `points` is how many the panel has room for. */
export async function runPanel(panel: Panel, page: PageContext, points: number, signal: AbortSignal): Promise<PanelData> {
  const range = panelMoments(page.range, panel.time_from, panel.time_shift);
  const targets = panel.targets.filter((target) => !target.hide);
  const tables = targets.filter((target) => target.format === "table").length;
  const errors: string[] = [];
  const answers = targets.map(async (target) => {
    const wished = target.interval && interpolateText(target.interval, page.scope);
    const least = durationMs(wished) ?? durationMs(panel.min_interval && interpolateText(panel.min_interval, page.scope));
    const times = macroTimes({ ...range, points: panel.max_data_points ?? points, least });
    const request: Ask = {
      at: storeOf(target.source, page.variables, page.scope),
      target,
      query: interpolateQuery(target.expr, page.scope, times),
      range,
      stepMs: times.interval,
      valueName: tables > 1 ? `Value #${target.ref_id}` : "Value",
      scope: page.scope,
    };
    try {
      return await ask(request, signal);
    } catch (cause) {
      if (signal.aborted) throw cause;
      errors.push(targets.length > 1 ? `${target.ref_id}: ${messageOf(cause)}` : messageOf(cause));
      return [];
    }
  });
  const frames = (await Promise.all(answers)).flat();
  return { frames: transform(frames, panel.transformations), range, errors };
}
