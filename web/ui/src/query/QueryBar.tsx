// The controls of a query: its language, its range, and running it.
import { useEffect, useState } from "preact/hooks";
import { Icon } from "../lib/icons";
import type { TimeRange } from "../lib/timerange";
import { TimeRangePicker } from "../lib/TimeRangePicker";
import type { Mode, Place } from "./location";

const COPIED_FOR_MS = 1600;

export interface QueryBarProps {
  place: Place;
  running: boolean;
  charted: boolean;
  onCharted: (charted: boolean) => void;
  onMode: (mode: Mode) => void;
  onRange: (range: TimeRange) => void;
  onRun: () => void;
  onCancel: () => void;
}

function CopyLink() {
  const [said, setSaid] = useState("Copy link");
  useEffect(() => {
    if (said === "Copy link") return;
    const timer = setTimeout(() => setSaid("Copy link"), COPIED_FOR_MS);
    return () => clearTimeout(timer);
  }, [said]);
  const copy = () => {
    // The clipboard needs HTTPS or localhost; elsewhere the address bar holds the same link.
    const written = navigator.clipboard?.writeText(window.location.href) ?? Promise.reject(new Error("no clipboard"));
    written.then(
      () => setSaid("Copied"),
      () => setSaid("Copy the address bar"),
    );
  };
  return (
    <button type="button" class="button quiet" onClick={copy} aria-live="polite">
      <Icon name="link" />
      {said}
    </button>
  );
}

function RunButton({ running, onRun, onCancel }: Pick<QueryBarProps, "running" | "onRun" | "onCancel">) {
  if (running) {
    return (
      <button type="button" class="button" onClick={onCancel}>
        <Icon name="stop" />
        Cancel <kbd>Esc</kbd>
      </button>
    );
  }
  return (
    <button type="button" class="button primary" onClick={onRun}>
      <Icon name="run" />
      Run <kbd>Ctrl ⏎</kbd>
    </button>
  );
}

const MODES: { mode: Mode; title: string }[] = [
  { mode: "sql", title: "SQL" },
  { mode: "promql", title: "PromQL" },
  { mode: "explain", title: "Explain" },
];

export function QueryBar(props: QueryBarProps) {
  const { place } = props;
  return (
    <div class="query-bar">
      <div class="segmented" role="group" aria-label="Query language">
        {MODES.map(({ mode, title }) => (
          <button key={mode} type="button" aria-pressed={place.mode === mode} onClick={() => props.onMode(mode)}>
            {title}
          </button>
        ))}
      </div>
      <span class="query-bar-gap" />
      {place.mode === "sql" && (
        <button
          type="button"
          class="button quiet"
          aria-pressed={props.charted}
          onClick={() => props.onCharted(!props.charted)}
        >
          <Icon name="chart" />
          {props.charted ? "Hide chart" : "Show chart"}
        </button>
      )}
      <CopyLink />
      <TimeRangePicker range={place.range} onChange={props.onRange} unbounded={place.mode !== "promql"} />
      <RunButton running={props.running} onRun={props.onRun} onCancel={props.onCancel} />
    </div>
  );
}
