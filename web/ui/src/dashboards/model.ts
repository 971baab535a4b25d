// The dashboard as the server gives it (GET /api/dashboards/{uid}); its words are explained in the dashboards crate.

export interface Dashboard {
  uid: string;
  title: string;
  description?: string;
  tags: string[];
  time: { from: string; to: string };
  refresh?: string;
  shared_cursor: boolean;
  variables: Variable[];
  panels: Panel[];
  missing: string[];
}

export type Support = "full" | "partial" | "none";

interface PanelBase {
  id: number;
  title: string;
  description?: string;
  grid: Grid;
  targets: Target[];
  field: FieldOptions;
  overrides: Override[];
  transformations: Transformation[];
  max_data_points?: number;
  min_interval?: string;
  time_from?: string;
  time_shift?: string;
  support: Support;
  missing: string[];
}

export type Panel = PanelBase & View;
export type PanelOf<K extends View["kind"]> = PanelBase & Extract<View, { kind: K }>;

export interface Grid {
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Target {
  ref_id: string;
  language: "promql" | "sql";
  expr: string;
  legend?: string;
  instant?: boolean;
  format: "time_series" | "table" | "heatmap";
  interval?: string;
  hide?: boolean;
  source?: string;
}

export interface Transformation {
  id: string;
  options: unknown;
}

export interface Variable {
  name: string;
  label?: string;
  kind: "query" | "custom" | "interval" | "constant" | "textbox" | "datasource";
  query?: string;
  regex?: string;
  multi?: boolean;
  include_all?: boolean;
  all_value?: string;
  hide: "nothing" | "label" | "variable";
  sort: number;
  options?: Choice[];
  current?: string[];
  source?: string;
}

export interface Choice {
  text: string;
  value: string;
}

export interface FieldOptions {
  display_name?: string;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  no_value?: string;
  color?: { mode: string; fixed?: string };
  thresholds?: Thresholds;
  mappings?: Mapping[];
  draw?: "line" | "bars" | "points";
  interpolation?: "linear" | "smooth" | "stepBefore" | "stepAfter";
  line_width?: number;
  line_style?: { fill: string; dash?: number[] };
  fill_opacity?: number;
  points?: "auto" | "never" | "always";
  point_size?: number;
  span_nulls?: boolean | number;
  null_as_zero?: boolean;
  stacking?: { mode: "none" | "normal" | "percent"; group: string };
  transform?: "none" | "negative-Y" | "constant";
  axis?: "auto" | "left" | "right" | "hidden";
  axis_label?: string;
  soft_min?: number;
  soft_max?: number;
  scale?: { log: number };
  thresholds_style?: "off" | "line" | "dashed" | "area" | "line+area" | "dashed+area";
  hide_from?: { viz: boolean; legend: boolean; tooltip: boolean };
  width?: number;
  min_width?: number;
  align?: string;
  cell?: "auto" | "color-text" | "color-background" | "gauge";
  hidden?: boolean;
}

export interface Thresholds {
  mode: "absolute" | "percentage";
  steps: { value: number | null; color: string }[];
}

interface Result {
  text: string | null;
  color: string | null;
}
export type Mapping =
  | ({ type: "value"; value: string } & Result)
  | ({ type: "range"; from: number | null; to: number | null } & Result)
  | ({ type: "regex"; pattern: string } & Result)
  | ({ type: "special"; matches: string } & Result);

export interface Override {
  matcher: Matcher;
  field: FieldOptions;
}

export type Matcher =
  | { by: "name"; name: string }
  | { by: "names"; names: string[]; exclude: boolean }
  | { by: "regexp"; pattern: string }
  | { by: "ref_id"; ref_id: string }
  | { by: "type"; field_type: string }
  | { by: "value"; reducer: string; op: string; value: number };

export interface Reduce {
  calc: string;
  all_values: boolean;
  limit?: number;
  fields?: string;
}

export interface Legend {
  show: boolean;
  mode: "list" | "table";
  placement: "bottom" | "right";
  calcs: string[];
  sort_by?: string;
  sort_desc: boolean;
}

export type Orientation = "auto" | "horizontal" | "vertical";

export interface StatView {
  reduce: Reduce;
  color_mode: "value" | "background" | "background_solid" | "none";
  graph: "none" | "area" | "line";
  text: "auto" | "value" | "value_and_name" | "name" | "none";
  orientation: Orientation;
  prefix?: string;
  postfix?: string;
}

export interface GaugeView {
  reduce: Reduce;
  orientation: Orientation;
  threshold_markers: boolean;
  threshold_labels: boolean;
  prefix?: string;
  postfix?: string;
}

export interface BargaugeView {
  reduce: Reduce;
  orientation: Orientation;
  display: "gradient" | "lcd" | "basic";
  show_unfilled: boolean;
}

export interface TableView {
  show_header: boolean;
  sort_by: { field: string; desc: boolean }[];
  footer?: string;
  footer_fields?: string[];
}

export type View =
  | { kind: "timeseries"; options: { legend: Legend; tooltip: "single" | "multi" | "none" } }
  | { kind: "stat"; options: StatView }
  | { kind: "gauge"; options: GaugeView }
  | { kind: "bargauge"; options: BargaugeView }
  | { kind: "table"; options: TableView }
  | { kind: "text"; options: { mode: "markdown" | "html" | "code"; content: string } }
  | { kind: "row"; options: { collapsed: boolean } }
  | { kind: "unknown"; options: { type: string } };

/** A line of GET /api/dashboards. */
export interface Summary {
  uid: string;
  title: string;
  tags: string[];
  builtin: boolean;
  panels: number;
  full: number;
  partial: number;
  none: number;
  error?: string;
}

/** What an import understood. */
export interface ImportReport {
  uid: string;
  title: string;
  missing: string[];
  panels: { id: number; title: string; type: string; support: Support; missing: string[] }[];
  full: number;
  partial: number;
  none: number;
}
