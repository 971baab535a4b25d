// When the anomalous rows came, and how many of them have the first cause: the picture that belongs to the sentence.
import { useMemo } from "preact/hooks";
import { type Explanation, type Slice, sql, type SqlResult } from "../lib/api";
import { isDark } from "../lib/preferences";
import { type ChartSeries, TimeChart } from "../lib/TimeChart";
import { useLoad } from "../lib/useTask";
import { cellNumber } from "../query/cells";
import { columnTypes } from "./columnTypes";
import { trendQuery } from "./predicate";

const HEIGHT = 110;

function causeName(explanation: Explanation): string {
  return explanation.items.map(({ dimension, value }) => `${dimension} = ${value}`).join(" and ");
}

function linesOf(result: SqlResult, cause: string, dark: boolean): ChartSeries[] {
  const times = result.rows.map((row) => Date.parse(String(row[0])) / 1000);
  const having = result.rows.map((row) => cellNumber(row[1]) ?? 0);
  const others = result.rows.map((row, index) => (cellNumber(row[2]) ?? 0) - (having[index] ?? 0));
  const style = { draw: "steps", width: 1, fill: 0.55 } as const;
  return [
    { name: cause, times, values: having, color: dark ? "#f0694c" : "#e2573b", ...style },
    { name: "other rows of A", times, values: others, color: dark ? "#6f7d93" : "#8a97ab", ...style },
  ];
}

export function Trend({ slice, explanation }: { slice: Slice; explanation: Explanation }) {
  const typeOf = columnTypes(slice.project, slice.store);
  const asked = trendQuery(slice, explanation.items, typeOf);
  const task = useLoad(
    (abort) => sql({ project: slice.project, ...asked }, abort),
    [slice.project, asked.query, asked.from, asked.to],
  );
  const dark = isDark();
  const series = useMemo(
    () => (task.value ? linesOf(task.value, causeName(explanation), dark) : []),
    [task.value, dark],
  );
  if (task.error) return <p class="hint trend-note">The rows over time could not be read: {task.error}</p>;
  if (!task.value || task.value.rows.length < 2) return null;
  return (
    <figure class="trend">
      <figcaption>Anomalous rows over time</figcaption>
      <TimeChart
        series={series}
        label="Anomalous rows over time, with the first cause and without"
        height={HEIGHT}
        stacking="normal"
        min={0}
      />
    </figure>
  );
}
