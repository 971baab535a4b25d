// The selectors above the panels.
import { useState } from "preact/hooks";
import type { Resolved } from "./variables";
import { ALL } from "./variables";

export interface VariablesBarProps {
  resolved: readonly Resolved[];
  onChoose: (name: string, values: string[]) => void;
}

interface ControlProps {
  of: Resolved;
  label: string;
  choose: (values: string[]) => void;
}

function Single({ of, label, choose }: ControlProps) {
  const { variable, choices, values } = of;
  const value = values[0] ?? "";
  const known = value === ALL || choices.some((choice) => choice.value === value);
  return (
    <select aria-label={label} value={value} onChange={(event) => choose([event.currentTarget.value])}>
      {variable.include_all && <option value={ALL}>All</option>}
      {!known && <option value={value}>{value || "None"}</option>}
      {choices.map((choice) => (
        <option key={choice.value} value={choice.value}>{choice.text}</option>
      ))}
    </select>
  );
}

/** Choices that a person can look through; more are found with the filter. */
const LISTED_MAX = 200;

function Multiple({ of, label, choose }: ControlProps) {
  const [filter, setFilter] = useState("");
  const { variable, choices, values } = of;
  const all = values.includes(ALL);
  const texts = values.map((value) => choices.find((choice) => choice.value === value)?.text ?? value);
  const fitting = choices.filter((choice) => choice.text.toLowerCase().includes(filter.toLowerCase()));
  const toggle = (value: string) => {
    const chosen = all ? [] : values;
    const next = chosen.includes(value) ? chosen.filter((one) => one !== value) : [...chosen, value];
    choose(next.length === 0 && variable.include_all ? [ALL] : next);
  };
  return (
    <details class="variable-many">
      <summary aria-label={`${label}: ${all ? "All" : texts.join(", ")}`}>{all ? "All" : texts.join(" + ") || "None"}</summary>
      <div class="popover">
        <input
          type="search"
          placeholder="Filter"
          aria-label={`Filter ${label}`}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        {variable.include_all && (
          <label class="variable-choice">
            <input type="checkbox" checked={all} onChange={() => choose([ALL])} />
            All
          </label>
        )}
        {fitting.slice(0, LISTED_MAX).map((choice) => (
          <label key={choice.value} class="variable-choice">
            <input type="checkbox" checked={!all && values.includes(choice.value)} onChange={() => toggle(choice.value)} />
            {choice.text}
          </label>
        ))}
        {fitting.length > LISTED_MAX && <p class="muted">{fitting.length - LISTED_MAX} more; type to filter</p>}
      </div>
    </details>
  );
}

function Typed({ of, label, choose }: ControlProps) {
  return (
    <input
      type="text"
      aria-label={label}
      spellcheck={false}
      value={of.values[0] ?? ""}
      onChange={(event) => choose([event.currentTarget.value])}
    />
  );
}

function controlOf({ variable }: Resolved) {
  if (variable.kind === "textbox") return Typed;
  return variable.multi ? Multiple : Single;
}

export function VariablesBar({ resolved, onChoose }: VariablesBarProps) {
  const visible = resolved.filter(({ variable }) => variable.hide !== "variable" && variable.kind !== "constant");
  if (visible.length === 0) return null;
  return (
    <div class="variables" role="group" aria-label="Variables">
      {visible.map((of) => {
        const { variable, error } = of;
        const label = variable.kind === "datasource" && !variable.label ? "Store" : (variable.label ?? variable.name);
        const Control = controlOf(of);
        return (
          <div key={variable.name} class="variable">
            {variable.hide !== "label" && <span class="variable-label">{label}</span>}
            <Control of={of} label={label} choose={(values) => onChoose(variable.name, values)} />
            {error && <span class="variable-error" role="alert" title={error}>no choices: {error}</span>}
          </div>
        );
      })}
    </div>
  );
}
