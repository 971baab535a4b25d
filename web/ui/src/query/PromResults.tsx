// The answer to a PromQL query: its lines over the range, and its values at the end of the range as a table.
import { useMemo } from "preact/hooks";
import type { Column, LabelSet, PromResult, Sample } from "../lib/api";
import { type Grid, matrixToSeries, sampleValue } from "../lib/prometheus";
import { TimeChart } from "../lib/TimeChart";
import { DataTable } from "./DataTable";
import type { PromAnswer } from "./run";

const CHART_HEIGHT = 300;
/** More lines than this make no readable chart and a slow page; the table still has them all. */
const LINES_MAX = 200;

interface Table {
  columns: Column[];
  rows: unknown[][];
}

function time(sample: Sample): string {
  return new Date(sample[0] * 1000).toISOString();
}

function labelled(entries: { metric: LabelSet; samples: Sample[] }[]): Table {
  const names = [...new Set(entries.flatMap(({ metric }) => Object.keys(metric)))].toSorted();
  const columns: Column[] = [
    ...names.map((name) => ({ name, type: "Utf8" })),
    { name: "value", type: "Float64" },
    { name: "time", type: "Timestamp" },
  ];
  const rows = entries.flatMap(({ metric, samples }) => {
    const labels = names.map((name) => metric[name] ?? null);
    return samples.map((sample) => [...labels, sampleValue(sample[1]), time(sample)]);
  });
  return { columns, rows };
}

/** One row per sample; a range vector gives every sample of every series. */
export function tableOf(result: PromResult): Table {
  switch (result.resultType) {
    case "vector":
      return labelled(result.result.map(({ metric, value }) => ({ metric, samples: [value] })));
    case "matrix":
      return labelled(result.result.map(({ metric, values }) => ({ metric, samples: values })));
    case "scalar":
      return labelled([{ metric: {}, samples: [result.result] }]);
    case "string":
      return {
        columns: [
          { name: "value", type: "Utf8" },
          { name: "time", type: "Timestamp" },
        ],
        rows: [[result.result[1], time(result.result)]],
      };
  }
}

interface LinesProps {
  answer: PromAnswer;
  grid: Grid;
  onZoom: (from: number, to: number) => void;
}

function Lines({ answer, grid, onZoom }: LinesProps) {
  const matrix = answer.matrix ?? [];
  const series = useMemo(() => matrixToSeries(matrix.slice(0, LINES_MAX), grid), [answer]);
  return (
    <section class="card result-chart" aria-label="Over time">
      <TimeChart
        series={series}
        label={`${matrix.length} series over time`}
        height={CHART_HEIGHT}
        range={{ from: grid.start, to: grid.end }}
        legend={series.length <= 12 ? "table" : "list"}
        onZoom={onZoom}
      />
      {matrix.length > LINES_MAX && (
        <p class="hint result-note">
          The first {LINES_MAX} of {matrix.length} series are drawn; narrow the query to see others.
        </p>
      )}
    </section>
  );
}

export function PromResults({ answer, onZoom }: { answer: PromAnswer; onZoom: (from: number, to: number) => void }) {
  const table = useMemo(() => answer.instant && tableOf(answer.instant), [answer]);
  const lines = answer.matrix?.length ?? 0;
  if (lines === 0 && (table?.rows.length ?? 0) === 0) {
    return <p class="empty">No results: the query ran and no series matched in this time range.</p>;
  }
  return (
    <>
      {lines > 0 && <Lines answer={answer} grid={answer.grid} onZoom={onZoom} />}
      {answer.rangeNote && <p class="hint result-note">No chart: {answer.rangeNote}</p>}
      {table && table.rows.length > 0 ? (
        <div class="result-table card">
          <DataTable columns={table.columns} rows={table.rows} label="Values at the end of the range" />
        </div>
      ) : (
        <p class="hint result-note">No value at the end of the range.</p>
      )}
    </>
  );
}
