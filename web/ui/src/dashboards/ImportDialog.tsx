// Takes Grafana's JSON, from files or pasted, and tells what was understood of it.
import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { messageOf } from "../lib/useTask";
import { href } from "../router";
import { importDashboard } from "./api";
import type { ImportReport } from "./model";
import { SupportBar } from "./SupportBar";

type Outcome = { source: string; report: ImportReport } | { source: string; error: string };

export function ImportDialog({ onClose, onImported }: { onClose: () => void; onImported: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [outcomes, setOutcomes] = useState<Outcome[]>([]);
  const [busy, setBusy] = useState(false);
  useEffect(() => dialog.current?.showModal(), []);

  const take = async (bodies: { source: string; body: Promise<string> }[]) => {
    setBusy(true);
    const results: Outcome[] = [];
    for (const { source, body } of bodies) {
      try {
        results.push({ source, report: await importDashboard(await body) });
      } catch (cause) {
        results.push({ source, error: messageOf(cause) });
      }
      setOutcomes([...results]);
    }
    setBusy(false);
    onImported();
  };
  const takeFiles = (files: FileList | null | undefined) => {
    const list = [...(files ?? [])];
    if (list.length > 0) void take(list.map((file) => ({ source: file.name, body: file.text() })));
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- files can be dropped anywhere on it.
    <dialog
      ref={dialog}
      class="import"
      aria-labelledby="import-title"
      onClose={onClose}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        event.preventDefault();
        takeFiles(event.dataTransfer?.files);
      }}
    >
      <header>
        <h2 id="import-title">Import a Grafana dashboard</h2>
        <button type="button" class="button" onClick={() => dialog.current?.close()}>Close</button>
      </header>
      <p class="muted">Choose or drop JSON files of Grafana's classic export, or paste one.</p>
      <input
        type="file"
        accept=".json,application/json"
        multiple
        aria-label="JSON files"
        disabled={busy}
        onChange={(event) => takeFiles(event.currentTarget.files)}
      />
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void take([{ source: "the pasted text", body: Promise.resolve(text) }]);
        }}
      >
        <textarea
          aria-label="Dashboard JSON"
          placeholder='{"title": "…", "panels": […]}'
          spellcheck={false}
          rows={6}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button type="submit" class="button primary" disabled={busy || text.trim() === ""}>{busy ? "Importing…" : "Import"}</button>
      </form>
      <div aria-live="polite">
        {outcomes.map((outcome, index) =>
          "error" in outcome ? (
            <ErrorLine key={index} message={`${outcome.source}: ${outcome.error}`} />
          ) : (
            <Understood key={index} report={outcome.report} />
          ),
        )}
      </div>
    </dialog>
  );
}

function Understood({ report }: { report: ImportReport }) {
  const gaps = report.panels.filter((panel) => panel.support !== "full");
  return (
    <section class="understood">
      <h3><a href={href(`/dashboards/${encodeURIComponent(report.uid)}`)}>{report.title}</a></h3>
      <SupportBar {...report} />
      {report.missing.length > 0 && <p>Of the dashboard as a whole: {report.missing.join("; ")}</p>}
      {gaps.length > 0 && (
        <table>
          <thead>
            <tr><th scope="col">Panel</th><th scope="col">Kind</th><th scope="col">Shown</th><th scope="col">Missing</th></tr>
          </thead>
          <tbody>
            {gaps.map((panel) => (
              <tr key={panel.id}>
                <td>{panel.title || "untitled"}</td>
                <td>{panel.type}</td>
                <td>{panel.support === "partial" ? "partly" : "not"}</td>
                <td>{panel.missing.join("; ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}
