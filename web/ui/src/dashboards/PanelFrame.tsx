// The frame around a panel: title, what is missing of it, loading and failing; it loads when it comes into sight.
import { useEffect, useRef, useState } from "preact/hooks";
import { ErrorLine } from "../lib/ErrorLine";
import { useTask } from "../lib/useTask";
import { interpolateText } from "./interpolate";
import type { Panel } from "./model";
import { BargaugePanel } from "./panels/BargaugePanel";
import { GaugePanel } from "./panels/GaugePanel";
import type { PanelProps } from "./panels/props";
import { StatPanel } from "./panels/StatPanel";
import { DataTable } from "./panels/TablePanel";
import { TextPanel } from "./panels/TextPanel";
import { TimeseriesPanel } from "./panels/TimeseriesPanel";
import { UnknownPanel } from "./panels/UnknownPanel";
import { type PageContext, type PanelData, runPanel } from "./run";

/** Panels load a little before they come into sight. */
const MARGIN = "300px";

function useInSight() {
  const element = useRef<HTMLElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current || seen) return;
    const observer = new IntersectionObserver((entries) => setSeen(entries.some((entry) => entry.isIntersecting)), { rootMargin: MARGIN });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [seen]);
  return [element, seen] as const;
}

function Drawn(props: PanelProps & { scope: PageContext["scope"] }) {
  const { panel, scope, ...rest } = props;
  switch (panel.kind) {
    case "timeseries":
      if (props.data.frames.length === 0) return <div class="board-empty">{panel.field.no_value ?? "No data"}</div>;
      return <TimeseriesPanel {...rest} panel={panel} />;
    case "stat":
      return <StatPanel {...rest} panel={panel} />;
    case "gauge":
      return <GaugePanel {...rest} panel={panel} />;
    case "bargauge":
      return <BargaugePanel {...rest} panel={panel} />;
    case "table":
      return (
        <DataTable
          frames={props.data.frames}
          field={panel.field}
          overrides={panel.overrides}
          options={panel.options}
          label={panel.title}
        />
      );
    case "text":
      return <TextPanel panel={panel} content={interpolateText(panel.options.content, scope)} />;
    case "unknown":
      return <UnknownPanel {...rest} panel={panel} />;
    case "row":
      return null;
  }
}

/** A word that says that something is missing, and opens to what. */
function Gaps({ panel }: { panel: Panel }) {
  if (panel.support === "full") return null;
  const word = panel.support === "partial" ? "partly shown" : "not shown";
  return (
    <details class={`board-gaps gaps-${panel.support}`}>
      <summary title={panel.missing.join("\n")}>{word}</summary>
      <div class="popover">
        <strong>Missing here</strong>
        <ul>
          {panel.missing.map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
      </div>
    </details>
  );
}

export interface PanelFrameProps {
  panel: Panel;
  page: PageContext;
  /** Undefined until the variables are known. */
  ready: boolean;
  syncKey: string | undefined;
  onZoom: (from: number, to: number) => void;
}

const NO_DATA: PanelData = { frames: [], range: { from: 0, to: 1000 }, errors: [] };

export function PanelFrame({ panel, page, ready, syncKey, onZoom }: PanelFrameProps) {
  const [element, seen] = useInSight();
  const [task, run] = useTask<PanelData>();
  const asks = panel.kind !== "text" && panel.targets.length > 0;
  const scope = JSON.stringify(page.scope);
  useEffect(() => {
    if (!seen || !ready || !asks) return;
    const points = Math.max(Math.round((element.current?.clientWidth ?? 600) - 60), 100);
    run((signal) => runPanel(panel, page, points, signal));
  }, [seen, ready, panel.id, panel.targets, page.range.from, page.range.to, scope]);

  const title = interpolateText(panel.title, page.scope);
  const data = task.value ?? NO_DATA;
  const waits = asks && !task.value && !task.error;
  const { x, y, w, h } = panel.grid;
  return (
    <section
      ref={element}
      class={`board-panel panel-${panel.kind}`}
      style={{ "--x": String(x + 1), "--y": String(y + 1), "--w": String(w), "--h": String(h) }}
      data-panel={panel.id}
      data-support={panel.support}
      aria-label={title || panel.kind}
      aria-busy={task.running || (waits && seen)}
    >
      {(title || panel.support !== "full") && (
        <header>
          <h3 title={panel.description || title}>{title}</h3>
          <Gaps panel={panel} />
        </header>
      )}
      {task.running && <div class="board-loading" />}
      {[...(task.error ? [task.error] : []), ...data.errors].map((message) => (
        <ErrorLine key={message} message={message} />
      ))}
      <div class="board-body">
        {!waits && !(data.errors.length > 0 && data.frames.length === 0) && (
          <Drawn panel={panel} data={data} syncKey={syncKey} onZoom={onZoom} scope={page.scope} />
        )}
      </div>
    </section>
  );
}
