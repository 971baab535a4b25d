// What sets the rows of a condition apart: the sentence, the evidence with its bars, and what the search did not look at.
import { useEffect, useState } from "preact/hooks";
import { Evidence } from "../alerts/Evidence";
import type { ProvisionalReport, Slice } from "../lib/api";
import { resolveTime } from "../lib/timerange";
import type { Place } from "./location";

/** A condition for the rows to compare with; it counts when the field is left or Enter is pressed. */
export function Baseline({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  return (
    <label class="field explain-baseline">
      <span>Compared with</span>
      <input
        type="text"
        class="mono"
        placeholder="all other rows"
        spellcheck={false}
        value={text}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

function at(text: string, otherwise: string): string {
  const ms = resolveTime(text, Date.now());
  return ms === undefined || ms === null ? otherwise : new Date(ms).toISOString();
}

/** The rows behind an explanation are looked up in the same store and range. */
function sliceOf(place: Place): Slice {
  return {
    project: place.project,
    store: place.store ?? "",
    where: place.query ?? "",
    baseline: place.baseline ?? null,
    from: at(place.range.from, "1970-01-01T00:00:00Z"),
    to: at(place.range.to, new Date().toISOString()),
  };
}

/** The rows of B, among which what vanished is found. */
function others(slice: Slice): Slice {
  return { ...slice, where: slice.baseline ?? `(${slice.where}) IS NOT TRUE` };
}

/** Numbers that are in a set or not, by a click each. */
function useToggles(place: Place): [ReadonlySet<number>, (index: number) => void] {
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  useEffect(() => setOpen(new Set()), [place]);
  const toggle = (index: number) => {
    const next = new Set(open);
    if (!next.delete(index)) next.add(index);
    setOpen(next);
  };
  return [open, toggle];
}

/** Columns that were left out for the same reason are said together. */
export function reasons(leftOut: ProvisionalReport["left_out"]): [string, string[]][] {
  const byReason = new Map<string, string[]>();
  for (const { dimension, why } of leftOut) byReason.set(why, [...(byReason.get(why) ?? []), dimension]);
  return [...byReason];
}

export function ExplainResults({ report, place }: { report: ProvisionalReport; place: Place }) {
  const [open, toggle] = useToggles(place);
  const [openVanished, toggleVanished] = useToggles(place);
  const vanished = report.vanished ?? [];
  const leftOut = reasons(report.left_out);
  return (
    <section class={report.provisional ? "card explain-report provisional" : "card explain-report"}>
      <p class={report.explanations.length > 0 ? "cause" : "cause cause-open"} aria-live="polite">
        {report.sentence}
      </p>
      {report.explanations.length > 0 && (
        <Evidence report={report} slice={sliceOf(place)} open={open} onToggle={toggle} />
      )}
      {vanished.length > 0 && (
        <Evidence
          report={{ ...report, explanations: vanished }}
          slice={others(sliceOf(place))}
          heading="Missing in A"
          open={openVanished}
          onToggle={toggleVanished}
        />
      )}
      {(report.cuts ?? []).map((cut) => (
        <p key={cut} class="hint">
          {cut}
        </p>
      ))}
      {!report.provisional && leftOut.length > 0 && (
        <details class="explain-left-out">
          <summary>{report.left_out.length} columns left out</summary>
          <ul>
            {leftOut.map(([why, names]) => (
              <li key={why}>
                <span class="mono">{names.join(", ")}</span> ({why})
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
