// The query page: what to ask on the left, the query on top, the answer below. The address holds all of it.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import type { Store } from "../lib/api";
import { type Task, useTask } from "../lib/useTask";
import type { TimeRange } from "../lib/timerange";
import { useEscape } from "../lib/useEscape";
import { navigate, parameters } from "../router";
import { Editor } from "./Editor";
import { NoData } from "./NoData";
import { firstQuery, lastAddress, type Mode, type Place, placeHref, readPlace } from "./location";
import { Baseline, ExplainResults } from "./ExplainResults";
import { PromResults } from "./PromResults";
import { QueryBar } from "./QueryBar";
import { type Answer, runQuery, statistics } from "./run";
import { Sidebar } from "./Sidebar";
import { SqlResults } from "./SqlResults";
import { type Catalog, useCatalog } from "./useCatalog";

/** What stands in the editor, per language; kept while the reader looks at another page. */
const drafts = { sql: signal(""), promql: signal(""), explain: signal("") };

/** Others than SQL start empty: which metrics matter, or which rows are wrong, only the reader knows. */
function firstDraft(mode: Mode, store: Store | undefined): string {
  return mode === "sql" && store ? firstQuery(store.name, store.kind) : "";
}

function Status({ task }: { task: Task<Answer> }) {
  const text = task.running ? "Running…" : task.value ? statistics(task.value) : "";
  return (
    <p class="query-status" role="status" aria-live="polite">
      {text}
    </p>
  );
}

function Results(props: {
  task: Task<Answer>;
  mode: Mode;
  charted: boolean;
  onZoom: (from: number, to: number) => void;
}) {
  const { value, error, running } = props.task;
  if (error) return <ErrorLine message={error} />;
  if (!value || value.mode !== props.mode) return running ? <p class="empty">Running…</p> : null;
  return (
    <div class={running ? "results stale" : "results"} aria-busy={running}>
      {value.mode === "sql" ? (
        <SqlResults result={value.result} charted={props.charted} onZoom={props.onZoom} />
      ) : value.mode === "explain" ? (
        <ExplainResults report={value.result} place={value.place} />
      ) : (
        <PromResults answer={value.result} onZoom={props.onZoom} />
      )}
    </div>
  );
}

/** Runs what the address asks whenever it changes, and again on demand. */
function useAnswer(place: Place, catalog: Catalog) {
  const [task, run, cancel] = useTask<Answer>();
  const [round, setRound] = useState(0);
  const store = catalog.store?.name;
  // What does not name its store has to know it first; SQL does not wait for the list.
  const ready = place.query !== undefined && (place.mode === "sql" || store !== undefined);
  useEffect(() => {
    if (ready) run((abort, show) => runQuery(place, store ?? "", abort, show));
  }, [placeHref(place), ready, place.mode === "sql" ? "" : store, round]);
  return { task, cancel, again: () => setRound((before) => before + 1) };
}

/** The state of the page and what a reader can do to it. */
function useQueryPage() {
  const place = useMemo(() => readPlace(parameters.value), [parameters.value]);
  const catalog = useCatalog(place);
  const draft = drafts[place.mode];
  const answer = useAnswer(place, catalog);
  useEffect(() => {
    lastAddress.value = placeHref(place);
  }, [place]);
  const go = (changes: Partial<Place>, how: "push" | "replace" = "push") =>
    navigate(placeHref({ ...place, ...changes }), how);
  useEffect(() => {
    if (place.query !== undefined) {
      draft.value = place.query;
      return;
    }
    // An address without a query shows what was asked last, else the newest rows, so that no visit starts blank.
    const query = draft.value.trim() || firstDraft(place.mode, catalog.store);
    if (query) go({ query }, "replace");
  }, [place.mode, place.query, catalog.store?.name]);

  const run = () => {
    const query = draft.value.trim();
    // The same question once more has the same address, so that it needs its own push.
    if (query === place.query) answer.again();
    else if (query) go({ query });
  };
  const chooseStore = (name: string) => {
    const untouched = draft.value.trim() === firstDraft(place.mode, catalog.store);
    const chosen = catalog.stores.find((store) => store.name === name);
    go({ store: name, query: untouched ? firstDraft(place.mode, chosen) || undefined : place.query });
  };
  const chooseProject = (project: string) => {
    draft.value = "";
    go({ project, store: undefined, query: undefined, baseline: undefined });
  };
  const chooseMode = (mode: Mode) =>
    go({ mode, store: undefined, query: drafts[mode].value.trim() || undefined, baseline: undefined });
  const chooseBaseline = (baseline: string) =>
    go({ baseline: baseline.trim() || undefined, query: draft.value.trim() || undefined });
  const chooseRange = (range: TimeRange) => go({ range, query: draft.value.trim() || undefined });
  const zoom = (from: number, to: number) =>
    go({ range: { from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() } });
  useEscape(answer.task.running, answer.cancel);
  return { place, catalog, draft, run, chooseStore, chooseProject, chooseMode, chooseBaseline, chooseRange, zoom, ...answer };
}

export function QueryPage() {
  const page = useQueryPage();
  const { place, catalog, draft, task, run, cancel } = page;
  const [charted, setCharted] = useState(true);
  const insert = useRef<(text: string) => void>(() => {});
  return (
    <div class="query-page">
      <Sidebar
        mode={place.mode}
        projects={catalog.projects}
        project={place.project}
        stores={catalog.stores}
        store={catalog.store}
        onProject={page.chooseProject}
        onStore={page.chooseStore}
        onInsert={(text) => insert.current(text)}
      />
      <main class="query-main">
        <h1 class="visually-hidden">Query</h1>
        <QueryBar
          place={place}
          running={task.running}
          charted={charted}
          onCharted={setCharted}
          onMode={page.chooseMode}
          onRange={page.chooseRange}
          onRun={run}
          onCancel={cancel}
        />
        <Editor
          mode={place.mode}
          text={draft.value}
          onText={(text) => (draft.value = text)}
          onRun={run}
          onCancel={cancel}
          tables={catalog.tables}
          metrics={{ project: place.project, store: catalog.store?.name ?? "metrics" }}
          insert={insert}
        />
        {place.mode === "explain" && <Baseline text={place.baseline ?? ""} onChange={page.chooseBaseline} />}
        <Status task={task} />
        {catalog.error && <ErrorLine message={catalog.error} />}
        {catalog.empty && !task.value && !task.error && <NoData project={place.project} mode={place.mode} />}
        {place.query === undefined && place.mode === "promql" && catalog.store && (
          <p class="empty">Type a query, or start with a metric from the list on the left. Ctrl+Enter runs it.</p>
        )}
        {place.query === undefined && place.mode === "explain" && catalog.store && (
          <p class="empty">
            Which rows are wrong? Write their condition, such as <code>status &gt;= 500</code>; Ctrl+Enter says what sets
            them apart.
          </p>
        )}
        {place.query !== undefined && <Results task={task} mode={place.mode} charted={charted} onZoom={page.zoom} />}
      </main>
    </div>
  );
}
