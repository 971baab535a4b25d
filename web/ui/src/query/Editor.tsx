// The query editor. A plain text area serves until the CodeMirror chunk has arrived, and goes on if it never does.
import { useEffect, useRef, useState } from "preact/hooks";
import type { MetricStore } from "../lib/prometheus";
import type { EditorHandle } from "./codemirror";
import type { Mode } from "./location";

export interface EditorProps {
  mode: Mode;
  text: string;
  onText: (text: string) => void;
  onRun: () => void;
  onCancel: () => void;
  /** For completion: tables and their columns, and the metricstore that PromQL reads. */
  tables: Record<string, string[]>;
  metrics: MetricStore;
  /** Filled with a function that puts text at the cursor. */
  insert: { current: (text: string) => void };
}

function insertInto(area: HTMLTextAreaElement | null, text: string): void {
  if (!area) return;
  area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
}

function PlainEditor(props: EditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    props.insert.current = (text) => insertInto(area.current, text);
  }, []);
  return (
    <textarea
      ref={area}
      class="editor-plain mono"
      aria-label="Query"
      rows={5}
      spellcheck={false}
      value={props.text}
      onInput={(event) => props.onText(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          props.onRun();
        } else if (event.key === "Escape") props.onCancel();
      }}
    />
  );
}

export function Editor(props: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const handle = useRef<EditorHandle | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const [ready, setReady] = useState(false);

  useEffect(() => {
    let gone = false;
    import("./codemirror").then(
      ({ createEditor }) => {
        if (gone || !host.current) return;
        const made = createEditor(host.current, () => latest.current);
        handle.current = made;
        props.insert.current = (text) => made.insert(text);
        setReady(true);
      },
      (cause: unknown) => console.warn("the editor chunk did not load; the plain text area stays", cause),
    );
    return () => {
      gone = true;
      handle.current?.destroy();
      handle.current = null;
    };
  }, []);

  const { mode, text, tables, metrics } = props;
  useEffect(() => handle.current?.setText(text), [text]);
  useEffect(() => handle.current?.setLanguage(), [mode, tables, metrics.project, metrics.store]);

  return (
    <div class="editor">
      {!ready && <PlainEditor {...props} />}
      <div ref={host} hidden={!ready} />
    </div>
  );
}
