// The ranked causes of an incident with what speaks for each: its share of slice A against its share of slice B.
import type { Explanation, Item, Report, Slice } from "../lib/api";
import { formatCount, formatShare } from "../lib/format";
import { Icon } from "../lib/icons";
import { columnTypes } from "./columnTypes";
import { rowsHref } from "./predicate";

function ItemName({ item }: { item: Item }) {
  const aliases = item.aliases ?? [];
  // "latency_ms >= 812" and "referer IS NULL" have no equals sign.
  const start = `${item.dimension} `;
  const other = item.condition?.startsWith(start) ? item.condition.slice(start.length) : `= ${item.value}`;
  const isEqual = other === `= ${item.value}`;
  return (
    <span class="item">
      <span class="item-dimension">{item.dimension}</span>
      <span class="item-equals"> {isEqual ? "= " : ""}</span>
      <b class="item-value">{isEqual ? item.value : other}</b>
      {aliases.length > 0 && (
        <span class="item-aliases" title="These have exactly the same rows">
          {" "}
          same rows as {aliases.map((alias) => `${alias.dimension} = ${alias.value}`).join(", ")}
        </span>
      )}
    </span>
  );
}

function Items({ items }: { items: Item[] }) {
  return (
    <div class="items">
      {items.map((item, index) => (
        <span key={`${item.dimension}=${item.value}`}>
          {index > 0 && <span class="item-and"> and </span>}
          <ItemName item={item} />
        </span>
      ))}
    </div>
  );
}

interface BarProps {
  side: "a" | "b";
  share: number;
  rows: number;
  total: number;
}

function Bar({ side, share, rows, total }: BarProps) {
  const name = side === "a" ? "A" : "B";
  return (
    <div class={`bar bar-${side}`} title={`${formatCount(rows)} of the ${formatCount(total)} rows of slice ${name}`}>
      <span class="bar-name">{name}</span>
      <span class="bar-track">
        <span class="bar-fill" style={{ width: `${Math.min(Math.max(share, 0), 1) * 100}%` }} />
      </span>
      <b class="bar-share">{formatShare(share)}</b>
      <span class="bar-rows">{formatCount(rows)} rows</span>
    </div>
  );
}

/** `12.4×`, with one digit more below ten. */
function times(ratio: number): string {
  return `${ratio >= 100 ? Math.round(ratio) : ratio.toPrecision(ratio >= 10 ? 3 : 2)}×`;
}

function Ratio({ of }: { of: Explanation }) {
  const { risk_ratio: risk, ci, support_ratio: support } = of;
  if (risk !== null && risk !== undefined) {
    return (
      <>
        <b>{times(risk)}</b> <span class="muted">risk</span>
        {ci && (
          <span class="evidence-detail">
            95 %: {times(ci[0])} to {times(ci[1])}
          </span>
        )}
      </>
    );
  }
  if (support !== null && support !== undefined) {
    return (
      <>
        <b>{times(support)}</b> <span class="muted">share in A to B</span>
      </>
    );
  }
  // No row of B has it, so that no ratio exists.
  return <span class="muted">only in A</span>;
}

function qValue(q: number | null | undefined): string {
  if (q === null || q === undefined) return "–";
  if (q < 1e-12) return "< 1e-12";
  return q < 0.001 ? q.toExponential(1) : q.toPrecision(2);
}

interface RowProps {
  explanation: Explanation;
  report: Report;
  rank?: number;
  /** Where the rows can be seen; absent without a slice. */
  rows?: string;
}

function EvidenceRow({ explanation, report, rank, rows }: RowProps) {
  return (
    <tr class={rank === undefined ? "alternate" : undefined}>
      <td class="evidence-rank">{rank ?? ""}</td>
      <th scope="row">
        <Items items={explanation.items} />
      </th>
      <td class="evidence-bars">
        <Bar side="a" share={explanation.support_a} rows={explanation.rows_a} total={report.rows_a} />
        <Bar side="b" share={explanation.support_b} rows={explanation.rows_b} total={report.rows_b} />
      </td>
      <td>
        <Ratio of={explanation} />
      </td>
      <td class="num">{qValue(explanation.q_value)}</td>
      <td>
        {rows && (
          <a class="evidence-link" href={rows}>
            Rows
          </a>
        )}
      </td>
    </tr>
  );
}

function Alternates(props: { explanation: Explanation; report: Report; open: boolean; onToggle: () => void }) {
  const alternates = props.explanation.alternates ?? [];
  if (alternates.length === 0) return null;
  const noun = alternates.length === 1 ? "correlate" : "correlates";
  return (
    <>
      <tr class="alternates-row">
        <td colSpan={6}>
          <button type="button" class="disclosure" aria-expanded={props.open} onClick={props.onToggle}>
            <Icon name="chevron" size={12} />
            {alternates.length} {noun} folded: nothing is left of {alternates.length === 1 ? "it" : "them"} without the
            cause above
          </button>
        </td>
      </tr>
      {props.open &&
        alternates.map((alternate, index) => <EvidenceRow key={index} explanation={alternate} report={props.report} />)}
    </>
  );
}

export interface EvidenceProps {
  report: Report;
  slice: Slice | null;
  /** What the rows of the table are; causes, when it is not said. */
  heading?: string;
  open: ReadonlySet<number>;
  onToggle: (explanation: number) => void;
}

export function Evidence({ report, slice, heading = "Cause", open, onToggle }: EvidenceProps) {
  const typeOf = slice ? columnTypes(slice.project, slice.store) : () => undefined;
  return (
    <table class="evidence">
      <thead>
        <tr>
          <th scope="col">
            <span class="visually-hidden">Rank</span>
          </th>
          <th scope="col">{heading}</th>
          <th scope="col">
            Share of <span class="key-a">A, the anomalous rows</span> and of <span class="key-b">B, the others</span>
          </th>
          <th scope="col">Ratio</th>
          <th
            scope="col"
            class="num"
            title="Probability of such a contrast by chance, corrected for all that were tried"
          >
            q-value
          </th>
          <th scope="col">
            <span class="visually-hidden">Query</span>
          </th>
        </tr>
      </thead>
      {report.explanations.map((explanation, index) => (
        <tbody key={index}>
          <EvidenceRow
            explanation={explanation}
            report={report}
            rank={index + 1}
            rows={slice ? rowsHref(slice, explanation.items, typeOf) : undefined}
          />
          <Alternates
            explanation={explanation}
            report={report}
            open={open.has(index)}
            onToggle={() => onToggle(index)}
          />
        </tbody>
      ))}
    </table>
  );
}
