// One dashboard: its variables, its range, its panels. Range, refresh and variables stand in the address.
import "./dashboards.css";
import { useEffect, useMemo, useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { Icon } from "../lib/icons";
import { TimeRangePicker } from "../lib/TimeRangePicker";
import type { TimeRange } from "../lib/timerange";
import { useLoad, useTask } from "../lib/useTask";
import { base, href, navigate, parameters, setParameters } from "../router";
import { dashboard, metricStores } from "./api";
import { interpolateText } from "./interpolate";
import { durationMs } from "./interval";
import { arrange, inRow } from "./layout";
import type { Dashboard, PanelOf } from "./model";
import { PanelFrame } from "./PanelFrame";
import type { PageContext } from "./run";
import { moments } from "./time";
import { VariablesBar } from "./VariablesBar";
import { type Chosen, type Resolved, resolveAll, scopeOf } from "./variables";

const REFRESHES = ["5s", "10s", "30s", "1m", "5m", "15m", "1h"];
/** A board may ask for more than its server and its reader can take. */
const REFRESH_MS_MIN = 5000;

function chosenIn(search: URLSearchParams): Chosen {
  const chosen: Chosen = {};
  for (const [name, value] of search) {
    if (name.startsWith("var-")) (chosen[name.slice(4)] ??= []).push(value);
  }
  return chosen;
}

/** A variable with several values stands in the address several times. */
function setChosen(uid: string, name: string, values: readonly string[]): void {
  const search = new URLSearchParams(parameters.value);
  search.delete(`var-${name}`);
  for (const value of values) search.append(`var-${name}`, value);
  navigate(`${base}/dashboards/${encodeURIComponent(uid)}?${search.toString()}`, "replace");
}

/** The moment that the page shows; moves on with every refresh. */
function useNow(refresh: string | undefined): [number, () => void] {
  const [now, setNow] = useState(Date.now);
  const pause = durationMs(refresh);
  useEffect(() => {
    if (!pause) return;
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now());
    }, Math.max(pause, REFRESH_MS_MIN));
    return () => clearInterval(timer);
  }, [pause]);
  return [now, () => setNow(Date.now())];
}

function Row({ panel, closed, count, title, onToggle }: { panel: PanelOf<"row">; closed: boolean; count: number; title: string; onToggle: () => void }) {
  const { y } = panel.grid;
  return (
    <div class="board-row" style={{ "--x": "1", "--y": String(y + 1), "--w": "24", "--h": "1" }}>
      <h2>
        <button type="button" aria-expanded={!closed} onClick={onToggle}>
          <Icon name={closed ? "chevron" : "down"} size={14} />
          {title}
          {closed && <span class="muted"> {count} {count === 1 ? "panel" : "panels"}</span>}
        </button>
      </h2>
    </div>
  );
}

function Gaps({ board }: { board: Dashboard }) {
  if (board.missing.length === 0) return null;
  return (
    <details class="board-gaps gaps-partial">
      <summary>not everything is shown</summary>
      <div class="popover">
        <strong>Missing of the dashboard as a whole</strong>
        <ul>
          {board.missing.map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
      </div>
    </details>
  );
}

function zoom(from: number, to: number): void {
  setParameters({ from: new Date(from).toISOString(), to: new Date(to).toISOString() }, "push");
}

interface ToolbarProps {
  range: TimeRange;
  refresh: string;
  onRefresh: () => void;
}

function Toolbar({ range, refresh, onRefresh }: ToolbarProps) {
  const offered = refresh && !REFRESHES.includes(refresh) ? [refresh, ...REFRESHES] : REFRESHES;
  return (
    <div class="board-tools">
      <TimeRangePicker range={range} onChange={({ from, to }) => setParameters({ from, to })} />
      <button type="button" class="button" onClick={onRefresh} title="Load again">
        <Icon name="refresh" />
        Refresh
      </button>
      <select aria-label="Refresh by itself" value={refresh} onChange={(event) => setParameters({ refresh: event.currentTarget.value || "off" })}>
        <option value="">by hand</option>
        {offered.map((one) => (
          <option key={one} value={one}>every {one}</option>
        ))}
      </select>
    </div>
  );
}

function Board({ board }: { board: Dashboard }) {
  const search = parameters.value;
  const range: TimeRange = { from: search.get("from") ?? board.time.from, to: search.get("to") ?? board.time.to };
  const asked = search.get("refresh") ?? board.refresh ?? "";
  const refresh = asked === "off" || !durationMs(asked) ? "" : asked;
  const [now, setNow] = useNow(refresh);
  const page = useMemo(() => moments(range, now), [range.from, range.to, now]);

  const [task, resolve] = useTask<Resolved[]>();
  const chosen = chosenIn(search);
  const chosenKey = JSON.stringify(chosen);
  useEffect(() => {
    resolve(async (signal) => {
      const stores = await metricStores(signal);
      return resolveAll({ variables: board.variables, chosen, stores, range: page }, signal);
    });
  }, [board, chosenKey, range.from, range.to]);

  const [closed, setClosed] = useState<ReadonlySet<number>>(
    () => new Set(board.panels.filter((panel) => panel.kind === "row" && panel.options.collapsed).map(({ id }) => id)),
  );
  const toggle = (id: number) => {
    const next = new Set(closed);
    if (!next.delete(id)) next.add(id);
    setClosed(next);
  };
  const panels = useMemo(() => arrange(board.panels, closed), [board, closed]);
  const resolved = task.value ?? [];
  const scope = useMemo(() => scopeOf(resolved), [task.value]);
  const context: PageContext = { range: page, scope, variables: board.variables };
  return (
    <main class="page board-page">
      <div class="board-head">
        <a class="muted" href={href("/dashboards")}>Dashboards</a>
        <h1 title={board.description}>{board.title}</h1>
        {board.tags.map((tag) => (
          <span key={tag} class="tag">{tag}</span>
        ))}
        <Gaps board={board} />
        <Toolbar range={range} refresh={refresh} onRefresh={setNow} />
      </div>
      {task.error && <ErrorLine message={task.error} />}
      <VariablesBar resolved={resolved} onChoose={(name, values) => setChosen(board.uid, name, values)} />
      <div class="board">
        {panels.map((panel) =>
          panel.kind === "row" ? (
            <Row
              key={panel.id}
              panel={panel}
              title={interpolateText(panel.title, scope)}
              closed={closed.has(panel.id)}
              count={inRow(board.panels, board.panels.findIndex(({ id }) => id === panel.id))}
              onToggle={() => toggle(panel.id)}
            />
          ) : (
            <PanelFrame
              key={panel.id}
              panel={panel}
              page={context}
              ready={task.value !== undefined}
              syncKey={board.shared_cursor ? board.uid : undefined}
              onZoom={zoom}
            />
          ),
        )}
      </div>
    </main>
  );
}

export function DashboardPage({ uid }: { uid: string }) {
  const { value: board, error } = useLoad((signal) => dashboard(uid, signal), [uid]);
  useEffect(() => {
    if (board) document.title = `${board.title} · Culprit`;
  }, [board]);
  if (error) {
    return (
      <main class="page">
        <h1>Dashboard</h1>
        <ErrorLine message={error} />
        <p><a href={href("/dashboards")}>All dashboards</a></p>
      </main>
    );
  }
  return board ? <Board board={board} /> : <main class="page empty">Loading…</main>;
}
