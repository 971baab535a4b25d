// What else moved when the incident began: findings by strength with small bars, the time line, and what the rule had before.
import { useState } from "preact/hooks";
import type { Finding, Incident, Investigation as Report, Moment } from "../lib/api";
import { formatDuration, formatMoment, formatTimestamp } from "../lib/format";
import { Icon } from "../lib/icons";

const KINDS: Record<Finding["kind"], string> = {
  explanation: "rows",
  metric_shift: "metric",
  new_pattern: "new message",
  vanished_pattern: "message gone",
  changed_label: "version",
  earlier_incident: "earlier",
};
/** Findings in sight before the reader asks for more. */
const SHOWN = 6;

function FindingRow({ finding, strongest }: { finding: Finding; strongest: number }) {
  const share = strongest > 0 ? Math.max(finding.score, 0) / strongest : 0;
  const shares = finding.shares.map(({ name, value }) => `${name} = ${value}`).join(", ");
  return (
    <tr>
      <td>
        <span class={`chip kind kind-${finding.kind}`}>{KINDS[finding.kind]}</span>
      </td>
      <th scope="row">
        {finding.sentence}
        {shares && <span class="evidence-detail">shares {shares} with the cause or the alert</span>}
      </th>
      <td class="finding-score">
        <span class="visually-hidden">Score {finding.score.toFixed(1)}</span>
        <span class="bar-track" title={`Score ${finding.score.toFixed(1)}: certainty, size, and what it shares`}>
          <span class="bar-fill" style={{ width: `${share * 100}%` }} />
        </span>
      </td>
      <td class="num">
        {finding.onset && finding.kind !== "earlier_incident" && (
          <time dateTime={finding.onset} title={formatTimestamp(finding.onset)}>
            {formatMoment(Date.parse(finding.onset))}
          </time>
        )}
      </td>
    </tr>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  const [all, setAll] = useState(false);
  const strongest = Math.max(...findings.map((finding) => finding.score));
  const shown = all ? findings : findings.slice(0, SHOWN);
  return (
    <>
      <table class="evidence findings" aria-label="Findings">
        <tbody>
          {shown.map((finding, index) => (
            <FindingRow key={index} finding={finding} strongest={strongest} />
          ))}
        </tbody>
      </table>
      {findings.length > SHOWN && (
        <button type="button" class="disclosure" aria-expanded={all} onClick={() => setAll(!all)}>
          <Icon name="chevron" size={12} />
          {all ? "The strongest alone" : `${findings.length - SHOWN} more`}
        </button>
      )}
    </>
  );
}

function Timeline({ moments }: { moments: Moment[] }) {
  if (moments.length < 2) return null;
  return (
    <ol class="timeline" aria-label="Time line">
      {moments.map((moment, index) => (
        <li key={index} class={moment.finding === null ? "timeline-alert" : undefined}>
          <time dateTime={moment.at} title={formatTimestamp(moment.at)}>
            {formatMoment(Date.parse(moment.at))}
          </time>{" "}
          {moment.what}
        </li>
      ))}
    </ol>
  );
}

function Coverage({ report }: { report: Report }) {
  return (
    <details class="left-out">
      <summary>
        Read in {formatDuration(report.elapsed_ms / 1000)}: {report.looked_at.join(", ") || "nothing"}
      </summary>
      <ul>
        {report.left_out.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </details>
  );
}

export function Investigation({ incident }: { incident: Incident }) {
  const known = incident.investigation;
  if (!known) return null;
  if (known.status === "pending") return <p class="muted investigation-open">Looking at what else moved…</p>;
  const report = known.report;
  if (!report) return <p class="muted investigation-open">Not investigated: {known.why}</p>;
  // The rows are the evidence above; here is what else there is.
  const findings = report.findings.filter((finding) => finding.kind !== "explanation");
  const nothing = report.findings.length > 0 ? "Nothing else stands out." : report.sentence;
  return (
    <section class="investigation" aria-label="Investigation">
      <h3>What else moved</h3>
      {findings.length === 0 ? <p class="muted">{nothing}</p> : <Findings findings={findings} />}
      <Timeline moments={report.timeline} />
      <Coverage report={report} />
    </section>
  );
}
