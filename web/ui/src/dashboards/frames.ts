// What queries answer, as tables of columns: the shape that transformations, tables and single values work on.
import type { LabelSet, MatrixSeries, PromResult } from "../lib/api";
import { sampleValue, seriesName } from "../lib/prometheus";
import type { Value } from "./reduce";

export type FieldType = "time" | "number" | "string" | "boolean";

export interface Field {
  name: string;
  type: FieldType;
  /** Times are Unix milliseconds. */
  values: Value[];
  labels?: LabelSet;
  /** What the query calls it; an override may call it otherwise. */
  legend?: string;
}

export interface Frame {
  refId: string;
  fields: Field[];
}

export function rows(frame: Frame): number {
  return frame.fields.reduce((longest, field) => Math.max(longest, field.values.length), 0);
}

export function isTable(frame: Frame): boolean {
  return frame.fields.length > 2 || frame.fields.some((field) => field.type === "string");
}

export interface Asked {
  refId: string;
  /** The series' name out of its labels; `undefined` names it by all of them. */
  legend: (labels: LabelSet) => string | undefined;
  /** The points of a range query, Unix seconds: a step without a sample becomes null. */
  grid?: { start: number; end: number; step: number };
}

function numberOrNull(text: string): number | null {
  const value = sampleValue(text);
  return Number.isNaN(value) ? null : value;
}

function seriesFrame(asked: Asked, metric: LabelSet, times: number[], values: Value[]): Frame {
  const legend = asked.legend(metric) ?? (Object.keys(metric).length === 0 ? `Value #${asked.refId}` : seriesName(metric));
  return {
    refId: asked.refId,
    fields: [
      { name: "Time", type: "time", values: times },
      { name: "Value", type: "number", values, labels: metric, legend },
    ],
  };
}

/** One frame per series. */
export function seriesFrames(data: PromResult, asked: Asked): Frame[] {
  if (data.resultType === "matrix") return matrixFrames(data.result, asked);
  if (data.resultType === "vector") {
    return data.result.map(({ metric, value: [time, text] }) =>
      seriesFrame(asked, metric, [time * 1000], [numberOrNull(text)]),
    );
  }
  const [time, text] = data.result;
  return [seriesFrame(asked, {}, [time * 1000], [numberOrNull(text)])];
}

function matrixFrames(result: readonly MatrixSeries[], asked: Asked): Frame[] {
  const { grid } = asked;
  if (!grid) {
    return result.map(({ metric, values }) =>
      seriesFrame(
        asked,
        metric,
        values.map(([time]) => time * 1000),
        values.map(([, text]) => numberOrNull(text)),
      ),
    );
  }
  const length = Math.max(Math.round((grid.end - grid.start) / grid.step) + 1, 1);
  const times = Array.from({ length }, (_, index) => (grid.start + index * grid.step) * 1000);
  return result.map(({ metric, values }) => {
    const column = new Array<Value>(length).fill(null);
    for (const [time, text] of values) {
      const index = Math.round((time - grid.start) / grid.step);
      if (index >= 0 && index < length) column[index] = numberOrNull(text);
    }
    return seriesFrame(asked, metric, times, column);
  });
}

/** One frame with a column per label; `valueName` tells the values of several queries apart. */
export function tableFrame(data: PromResult, refId: string, valueName: string): Frame {
  const samples: { metric: LabelSet; time: number; text: string }[] = [];
  if (data.resultType === "vector") {
    for (const { metric, value: [time, text] } of data.result) samples.push({ metric, time, text });
  } else if (data.resultType === "matrix") {
    for (const { metric, values } of data.result) {
      for (const [time, text] of values) samples.push({ metric, time, text });
    }
  } else {
    samples.push({ metric: {}, time: data.result[0], text: data.result[1] });
  }
  const names = [...new Set(samples.flatMap(({ metric }) => Object.keys(metric)))].toSorted();
  return {
    refId,
    fields: [
      { name: "Time", type: "time", values: samples.map(({ time }) => time * 1000) },
      ...names.map((name): Field => ({ name, type: "string", values: samples.map(({ metric }) => metric[name] ?? "") })),
      { name: valueName, type: "number", values: samples.map(({ text }) => numberOrNull(text)) },
    ],
  };
}

/** Several series as one table: time, series, value. */
export function longTable(frames: readonly Frame[]): Frame {
  const times: Value[] = [];
  const names: Value[] = [];
  const values: Value[] = [];
  for (const frame of frames) {
    const time = frame.fields.find((field) => field.type === "time");
    for (const field of frame.fields) {
      if (field.type !== "number") continue;
      field.values.forEach((value, index) => {
        if (value === null) return;
        times.push(time?.values[index] ?? null);
        names.push(field.legend ?? field.name);
        values.push(value);
      });
    }
  }
  return {
    refId: frames[0]?.refId ?? "A",
    fields: [
      { name: "Time", type: "time", values: times },
      { name: "Metric", type: "string", values: names },
      { name: "Value", type: "number", values },
    ],
  };
}
