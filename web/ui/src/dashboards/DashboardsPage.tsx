// The dashboards of the server, and the way to bring one along.
import "./dashboards.css";
import { useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { messageOf, useLoad } from "../lib/useTask";
import { href } from "../router";
import { dashboards, deleteDashboard } from "./api";
import { ImportDialog } from "./ImportDialog";
import type { Summary } from "./model";
import { SupportBar } from "./SupportBar";

function Line({ board, onDelete }: { board: Summary; onDelete: () => void }) {
  return (
    <tr>
      <td>
        <a class="board-link" href={href(`/dashboards/${encodeURIComponent(board.uid)}`)}>{board.title}</a>
        {board.error && <span class="variable-error"> {board.error}</span>}
      </td>
      <td>
        {board.tags.map((tag) => (
          <span key={tag} class="tag">{tag}</span>
        ))}
      </td>
      <td class="num">{board.panels}</td>
      <td><SupportBar {...board} /></td>
      <td>
        {board.builtin ? (
          <span class="muted">built in</span>
        ) : (
          <button type="button" class="button" aria-label={`Delete ${board.title}`} onClick={onDelete}>Delete</button>
        )}
      </td>
    </tr>
  );
}

export function DashboardsPage() {
  const [version, setVersion] = useState(0);
  const [filter, setFilter] = useState("");
  const [importing, setImporting] = useState(false);
  const [failure, setFailure] = useState<string>();
  const { value: boards, error } = useLoad((signal) => dashboards(signal), [version]);
  const reload = () => setVersion((before) => before + 1);
  const remove = async ({ uid, title }: Summary) => {
    if (!window.confirm(`Delete the dashboard “${title}”?`)) return;
    try {
      await deleteDashboard(uid);
      setFailure(undefined);
    } catch (cause) {
      setFailure(messageOf(cause));
    }
    reload();
  };
  const wanted = filter.toLowerCase();
  const fitting = (boards ?? []).filter(({ title, tags }) => [title, ...tags].some((text) => text.toLowerCase().includes(wanted)));
  return (
    <main class="page">
      <div class="board-head">
        <h1>Dashboards</h1>
        <input
          type="search"
          placeholder="Filter by title or tag"
          aria-label="Filter by title or tag"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <div class="board-tools">
          <button type="button" class="button primary" onClick={() => setImporting(true)}>Import from Grafana</button>
        </div>
      </div>
      {[error, failure].map((message) => message && <ErrorLine key={message} message={message} />)}
      {!boards && !error && <p class="empty">Loading…</p>}
      {boards && fitting.length === 0 && <p class="empty">No dashboard has “{filter}” in its title or tags</p>}
      {fitting.length > 0 && (
        <table class="board-list">
          <thead>
            <tr>
              <th scope="col">Title</th>
              <th scope="col">Tags</th>
              <th scope="col" class="num">Panels</th>
              <th scope="col">Shown</th>
              <th scope="col"><span class="visually-hidden">Actions</span></th>
            </tr>
          </thead>
          <tbody>
            {fitting.map((board) => (
              <Line key={board.uid} board={board} onDelete={() => void remove(board)} />
            ))}
          </tbody>
        </table>
      )}
      {importing && <ImportDialog onClose={() => setImporting(false)} onImported={reload} />}
    </main>
  );
}
