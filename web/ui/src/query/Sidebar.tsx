// What there is to ask about: project, stores with their columns for SQL, metric names for PromQL. A click inserts a name.
import { useState } from "preact/hooks";
import type { Store } from "../lib/api";
import { formatCount } from "../lib/format";
import { useLoad } from "../lib/useTask";
import { metricNames } from "./completion";
import { type Mode, quoteName } from "./location";

const NAMES_MAX = 400;
/** Fewer names than this need no filter. */
const FILTER_FROM = 12;

export interface SidebarProps {
  mode: Mode;
  projects: string[];
  project: string;
  stores: Store[];
  store: Store | undefined;
  onProject: (project: string) => void;
  onStore: (store: string) => void;
  onInsert: (text: string) => void;
}

interface Entry {
  name: string;
  detail?: string;
  insert: string;
}

function shortType(type: string): string {
  return type.replace(/\(.*/, "").toLowerCase();
}

function Names(props: { entries: Entry[]; noun: string; onInsert: (text: string) => void }) {
  const [filter, setFilter] = useState("");
  const wanted = filter.trim().toLowerCase();
  const found = props.entries.filter(({ name }) => name.toLowerCase().includes(wanted));
  return (
    <>
      {props.entries.length > FILTER_FROM && (
        <input
          type="search"
          class="names-filter"
          placeholder={`Filter ${formatCount(props.entries.length)} ${props.noun}`}
          aria-label={`Filter ${props.noun}`}
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
      )}
      <ul class="names">
        {found.slice(0, NAMES_MAX).map((entry) => (
          <li key={entry.name}>
            <button type="button" title={`Insert ${entry.insert}`} onClick={() => props.onInsert(entry.insert)}>
              <span class="names-name">{entry.name}</span>
              {entry.detail && <span class="names-detail">{entry.detail}</span>}
            </button>
          </li>
        ))}
      </ul>
      {found.length > NAMES_MAX && <p class="hint">{formatCount(found.length - NAMES_MAX)} more; filter to see them</p>}
      {found.length === 0 && props.entries.length > 0 && <p class="hint">None has “{filter}” in its name</p>}
    </>
  );
}

function Metrics({ store, onInsert }: { store: Store; onInsert: (text: string) => void }) {
  const names = useLoad(() => metricNames({ project: store.project, store: store.name }), [store.project, store.name]);
  if (names.error) return <p class="hint">{names.error}</p>;
  if (!names.value) return <p class="hint">Loading metric names…</p>;
  if (names.value.length === 0) return <p class="hint">No metric has arrived in this store yet.</p>;
  return <Names entries={names.value.map((name) => ({ name, insert: name }))} noun="metrics" onInsert={onInsert} />;
}

function Columns({ store, onInsert }: { store: Store; onInsert: (text: string) => void }) {
  const entries = store.columns.map(({ name, type }) => ({
    name,
    detail: shortType(type),
    // What needs no quotes is easier to read without them.
    insert: /^[a-z_][a-z0-9_]*$/.test(name) ? name : quoteName(name),
  }));
  return <Names entries={entries} noun="columns" onInsert={onInsert} />;
}

export function Sidebar(props: SidebarProps) {
  const { store } = props;
  const wanted = props.mode === "promql" ? "metrics" : "logs";
  const offered = props.mode === "sql" ? props.stores : props.stores.filter(({ kind }) => kind === wanted);
  return (
    <aside class="sidebar" aria-label="Data">
      <label class="field">
        <span>Project</span>
        <select value={props.project} onChange={(event) => props.onProject(event.currentTarget.value)}>
          {props.projects.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span>{props.mode === "promql" ? "Metricstore" : "Store"}</span>
        <select
          value={store?.name ?? ""}
          disabled={offered.length === 0}
          onChange={(event) => props.onStore(event.currentTarget.value)}
        >
          {offered.length === 0 && <option value="">none yet</option>}
          {offered.map(({ name, kind }) => (
            <option key={name} value={name}>
              {props.mode === "sql" ? `${name} (${kind})` : name}
            </option>
          ))}
        </select>
      </label>
      {store && (
        <div class="sidebar-list">
          <h2>
            {props.mode === "promql" ? "Metrics" : "Columns"}
            {store.rows > 0 && (
              <span class="muted">
                {formatCount(store.rows)} {store.kind === "metrics" ? "samples" : "rows"}
              </span>
            )}
          </h2>
          {props.mode === "promql" ? (
            <Metrics key={`${store.project}/${store.name}`} store={store} onInsert={props.onInsert} />
          ) : (
            <Columns key={`${store.project}/${store.name}`} store={store} onInsert={props.onInsert} />
          )}
        </div>
      )}
    </aside>
  );
}
