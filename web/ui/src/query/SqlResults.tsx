// The answer to a SQL query: a chart where it has a time, the rows, and the chosen row in full.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { SqlResult } from "../lib/api";
import { TimeChart } from "../lib/TimeChart";
import { DataTable } from "./DataTable";
import { chartOf } from "./resultChart";
import { RowDetail } from "./RowDetail";

const CHART_HEIGHT = 170;
const ROWS_CHART_HEIGHT = 104;

export interface SqlResultsProps {
  result: SqlResult;
  charted: boolean;
  onZoom: (from: number, to: number) => void;
}

export function SqlResults({ result, charted, onZoom }: SqlResultsProps) {
  const [chosen, setChosen] = useState<number>();
  useEffect(() => setChosen(undefined), [result]);
  const chart = useMemo(() => chartOf(result), [result]);
  if (result.rows.length === 0) {
    return <p class="empty">No results: the query ran and no row matched in this time range.</p>;
  }
  const row = chosen === undefined ? undefined : result.rows[chosen];
  return (
    <>
      {charted && chart && (
        <section class="card result-chart" aria-label={chart.label}>
          <h2 class="result-chart-title">{chart.kind === "rows" ? chart.label : "Over time"}</h2>
          <TimeChart
            series={chart.series}
            label={chart.label}
            range={chart.range}
            height={chart.kind === "rows" ? ROWS_CHART_HEIGHT : CHART_HEIGHT}
            legend={chart.kind === "rows" ? "none" : "list"}
            min={chart.kind === "rows" ? 0 : undefined}
            onZoom={onZoom}
          />
        </section>
      )}
      <div class="result-table card">
        <DataTable
          columns={result.columns}
          rows={result.rows}
          chosen={chosen}
          onChoose={setChosen}
          label="Result rows"
        />
        {row && chosen !== undefined && (
          <RowDetail columns={result.columns} row={row} place={chosen} onClose={() => setChosen(undefined)} />
        )}
      </div>
    </>
  );
}
