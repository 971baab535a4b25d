// One incident: what fired, the sentence that names its cause, the evidence, and what was not looked at.
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Incident, Item, Report } from "../lib/api";
import { formatAge, formatCount, formatDuration, formatShort, formatTimestamp } from "../lib/format";
import { Icon } from "../lib/icons";
import { columnTypes } from "./columnTypes";
import { Evidence } from "./Evidence";
import { Investigation } from "./Investigation";
import { rowsHref } from "./predicate";
import { Trend } from "./Trend";

export function StateChip({ state }: { state: Incident["state"] }) {
  return (
    <span class={`state state-${state}`}>
      <Icon name={state} size={14} />
      {state}
    </span>
  );
}

/** Since when the state holds, and how long the trouble took once it is over. */
function When({ incident }: { incident: Incident }) {
  const since = incident.resolved_at ?? incident.fired_at ?? incident.active_at;
  const lasted = incident.resolved_at
    ? formatDuration((Date.parse(incident.resolved_at) - Date.parse(incident.active_at)) / 1000)
    : undefined;
  return (
    <time dateTime={since} title={formatTimestamp(since)}>
      {formatAge(since)}
      {lasted && `, after ${lasted}`}
    </time>
  );
}

function Labels({ incident }: { incident: Incident }) {
  const labels = Object.entries(incident.labels).filter(([name]) => name !== "alertname" && name !== "severity");
  if (labels.length === 0) return null;
  return (
    <div class="labels">
      {labels.map(([name, value]) => (
        <span key={name} class="chip">
          <span class="muted">{name}=</span>
          {value}
        </span>
      ))}
    </div>
  );
}

/** The sentence with the items of the first cause set apart, where it names them: in its order, not in theirs. */
function marked(sentence: string, items: Item[]) {
  // "90 %" must not break between the number and its sign.
  const text = sentence.replaceAll(" %", "\u00a0%");
  const names = items.map(({ dimension, value, condition }) => condition ?? `${dimension} = ${value}`);
  const found = names.map((name) => ({ name, at: text.indexOf(name) })).filter(({ at }) => at >= 0);
  const parts: ComponentChildren[] = [];
  let end = 0;
  for (const { name, at } of found.toSorted((a, b) => a.at - b.at)) {
    if (at < end) continue;
    parts.push(text.slice(end, at), <mark key={name}>{name}</mark>);
    end = at + name.length;
  }
  return [...parts, text.slice(end)];
}

function Sentence({ incident }: { incident: Incident }) {
  const { status, sentence, why } = incident.cause;
  if (status === "pending") return <p class="cause cause-open">Looking for the cause…</p>;
  if (status === "none") return <p class="cause cause-open">No cause: {why ?? "none was looked for"}</p>;
  const text = sentence ?? incident.cause.report?.sentence ?? "";
  return <p class="cause">{marked(text, incident.cause.report?.explanations[0]?.items ?? [])}</p>;
}

function LeftOut({ report }: { report: Report }) {
  if (report.left_out.length === 0) return null;
  return (
    <details class="left-out">
      <summary>
        {report.left_out.length} {report.left_out.length === 1 ? "dimension" : "dimensions"} left out
      </summary>
      <dl>
        {report.left_out.map(({ dimension, why }) => (
          <div key={dimension}>
            <dt class="mono">{dimension}</dt>
            <dd>{why}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** What was compared, how much of it, and where to see the rows. */
function Slices({ incident, report }: { incident: Incident; report: Report | null }) {
  const { slice } = incident;
  if (!slice) return null;
  const typeOf = columnTypes(slice.project, slice.store);
  return (
    <div class="slices">
      <span>
        <b class="key-a">A</b> <code>{slice.where}</code> in <code>{slice.store}</code>
        {report && `, ${formatCount(report.rows_a)} rows`}
      </span>
      <span>
        <b class="key-b">B</b> {slice.baseline ? <code>{slice.baseline}</code> : "the other rows of the same time"}
        {report && `, ${formatCount(report.rows_b)} rows`}
      </span>
      {report && (
        <span>
          {report.exact ? "Every row counted" : "Sampled or cut short: counts are estimates"},{" "}
          {formatDuration(report.elapsed_ms / 1000)}
        </span>
      )}
      <a href={rowsHref(slice, [], typeOf)}>Open the rows of A in the query page</a>
    </div>
  );
}

function Notifications({ incident }: { incident: Incident }) {
  if (incident.notifications.length === 0) return null;
  return (
    <ul class="notifications" aria-label="Notifications">
      {incident.notifications.map((sent, index) => (
        <li key={index} class={sent.ok ? undefined : "failed"}>
          {sent.ok ? "Told" : "Could not tell"} <b>{sent.receiver}</b> {formatAge(sent.at)}
          {sent.error && <span class="mono"> {sent.error}</span>}
        </li>
      ))}
    </ul>
  );
}

function Body({ incident }: { incident: Incident }) {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const { slice } = incident;
  const report = incident.cause.status === "ready" ? incident.cause.report : null;
  const first = report?.explanations[0];
  const toggle = (index: number) => {
    const next = new Set(open);
    if (!next.delete(index)) next.add(index);
    setOpen(next);
  };
  return (
    <div class="incident-body">
      <Sentence incident={incident} />
      {report && first && <Evidence report={report} slice={slice} open={open} onToggle={toggle} />}
      {slice && first && <Trend slice={slice} explanation={first} />}
      <Investigation incident={incident} />
      <Slices incident={incident} report={report} />
      {report && <LeftOut report={report} />}
      <div class="incident-foot">
        <code class="expression" title="The rule's expression">
          {incident.expression}
        </code>
        <Notifications incident={incident} />
      </div>
    </div>
  );
}

export interface IncidentCardProps {
  incident: Incident;
  open: boolean;
  onToggle: () => void;
}

export function IncidentCard({ incident, open, onToggle }: IncidentCardProps) {
  const summary = incident.annotations.summary ?? incident.annotations.description;
  return (
    <article class={`card incident incident-${incident.state}`} aria-label={`${incident.rule}, ${incident.state}`}>
      <header>
        <button type="button" class="incident-toggle" aria-expanded={open} onClick={onToggle}>
          <Icon name="chevron" size={14} />
          <StateChip state={incident.state} />
          <span class="incident-rule">{incident.rule}</span>
        </button>
        {incident.severity && <span class="chip severity">{incident.severity}</span>}
        <Labels incident={incident} />
        <span class="incident-facts">
          {incident.value !== null && (
            <span>
              value <b>{formatShort(incident.value)}</b>
            </span>
          )}
          <When incident={incident} />
        </span>
      </header>
      {!open && incident.cause.sentence && <p class="incident-brief">{incident.cause.sentence}</p>}
      {open && summary && <p class="incident-summary">{summary}</p>}
      {open && <Body incident={incident} />}
    </article>
  );
}
