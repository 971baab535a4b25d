// A kind of panel that is not drawn: what it is, what it asks, and the values in a table.
import type { PanelOf } from "../model";
import type { PanelProps } from "./props";
import { DataTable } from "./TablePanel";

export function UnknownPanel({ panel, data }: PanelProps<PanelOf<"unknown">>) {
  return (
    <div class="board-unknown">
      <p>
        <strong>“{panel.options.type}” panels are not drawn.</strong> These are its queries and their values.
      </p>
      <Queries panel={panel} />
      {panel.targets.length > 0 && (
        <DataTable
          frames={data.frames}
          field={panel.field}
          overrides={panel.overrides}
          options={{ show_header: true, sort_by: [] }}
          label={`Values of ${panel.title}`}
        />
      )}
    </div>
  );
}

export function Queries({ panel }: { panel: PanelOf<"unknown"> | { targets: PanelOf<"unknown">["targets"] } }) {
  return (
    <ul class="board-queries">
      {panel.targets.map((target) => (
        <li key={target.ref_id}><code>{target.expr}</code></li>
      ))}
    </ul>
  );
}
