// One button that says the range, and a panel with the usual ones and two fields for any other.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icons";
import { useEscape } from "./useEscape";
import { presets, rangeLabel, resolveTime, type TimeRange } from "./timerange";

export interface TimeRangePickerProps {
  range: TimeRange;
  onChange: (range: TimeRange) => void;
  /** Offers "All time", for queries that need no ends. */
  unbounded?: boolean;
}

function Field(props: { label: string; value: string; onInput: (value: string) => void; bad: boolean }) {
  return (
    <label class="field">
      <span>{props.label}</span>
      <input
        type="text"
        autocomplete="off"
        spellcheck={false}
        value={props.value}
        aria-invalid={props.bad}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </label>
  );
}

function Panel(props: TimeRangePickerProps & { close: () => void }) {
  const [from, setFrom] = useState(props.range.from);
  const [to, setTo] = useState(props.range.to);
  const bad = [from, to].map((text) => resolveTime(text, Date.now()) === null);
  const choose = (range: TimeRange) => {
    props.onChange(range);
    props.close();
  };
  const apply = (event: Event) => {
    event.preventDefault();
    if (!bad.includes(true)) choose({ from: from.trim(), to: to.trim() });
  };
  return (
    <div class="popover range-panel" role="dialog" aria-label="Time range">
      <div class="range-presets">
        {presets.map((preset) => (
          <button
            key={preset.from}
            type="button"
            aria-pressed={props.range.from === preset.from && props.range.to === "now"}
            onClick={() => choose({ from: preset.from, to: "now" })}
          >
            {preset.label}
          </button>
        ))}
        {props.unbounded && (
          <button type="button" aria-pressed={props.range.from === ""} onClick={() => choose({ from: "", to: "" })}>
            All time
          </button>
        )}
      </div>
      <form class="range-own" onSubmit={apply}>
        <Field label="From" value={from} onInput={setFrom} bad={bad[0] === true} />
        <Field label="To" value={to} onInput={setTo} bad={bad[1] === true} />
        <p class="hint">now-90m, or 2026-08-01 13:00, or RFC 3339</p>
        <button type="submit" class="button primary" disabled={bad.includes(true)}>
          Apply
        </button>
      </form>
    </div>
  );
}

export function TimeRangePicker(props: TimeRangePickerProps) {
  const [open, setOpen] = useState(false);
  const host = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (event: Event) => {
      if (!host.current?.contains(event.target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    return () => document.removeEventListener("pointerdown", outside);
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  useEscape(open, close);
  return (
    <div class="range-picker" ref={host}>
      <button
        ref={button}
        type="button"
        class="button"
        aria-haspopup="dialog"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="clock" />
        {rangeLabel(props.range)}
        <Icon name="down" size={12} />
      </button>
      {open && <Panel {...props} close={close} />}
    </div>
  );
}
