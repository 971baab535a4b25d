// One big number per series, with the run of its values behind it.
import { isDark } from "../../lib/preferences";
import type { Orientation, PanelOf, StatView } from "../model";
import { emptyText, type Single, singles } from "../singles";
import type { PanelProps } from "./props";

function Sparkline({ single, fill }: { single: Single; fill: boolean }) {
  const values = single.history.map((value, index) => ({ value, index })).filter((point) => point.value !== null);
  if (values.length < 2) return null;
  const numbers = values.map(({ value }) => value as number);
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)];
  const width = single.history.length - 1;
  const points = values.map(({ value, index }) => {
    const share = high === low ? 0.5 : ((value as number) - low) / (high - low);
    return `${((index / width) * 100).toFixed(2)},${(38 - share * 34).toFixed(2)}`;
  });
  const first = points[0]?.split(",", 1)[0];
  const last = points.at(-1)?.split(",", 1)[0];
  return (
    <svg class="stat-spark" viewBox="0 0 100 40" preserveAspectRatio="none" aria-hidden="true">
      {fill && <polygon points={`${first},40 ${points.join(" ")} ${last},40`} fill="currentColor" opacity="0.16" />}
      <polyline points={points.join(" ")} fill="none" stroke="currentColor" stroke-width="1.5" vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/** Black or white, whichever reads better on the colour. */
export function textOn(color: string): string {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color);
  if (!hex) return "#ffffff";
  const [red = 0, green = 0, blue = 0] = hex.slice(1).map((part) => Number.parseInt(part, 16));
  return red * 0.299 + green * 0.587 + blue * 0.114 > 140 ? "#14161a" : "#ffffff";
}

function showsName(options: StatView, single: Single, count: number): boolean {
  if (options.text === "value_and_name" || options.text === "name") return true;
  return options.text === "auto" && count > 1 && single.name !== "";
}

function Stat({ single, options, count }: { single: Single; options: StatView; count: number }) {
  const { prefix, text, suffix, color, mappedColor } = single.displayed;
  const background = options.color_mode === "background" || options.color_mode === "background_solid";
  const colored = options.color_mode === "value" || mappedColor;
  const style = background ? { background: color, color: textOn(color) } : colored ? { color } : {};
  const name = showsName(options, single, count);
  const value = options.text !== "name" && options.text !== "none";
  const before = (options.prefix ?? "") + prefix;
  const after = suffix + (options.postfix ?? "");
  const length = value ? before.length + text.length + after.length * 0.6 : single.name.length;
  return (
    <div class={`stat ${background ? "stat-filled" : ""}`} style={{ ...style, "--chars": String(Math.max(length, 3)) }}>
      {options.graph !== "none" && <Sparkline single={single} fill={options.graph === "area"} />}
      {name && value && <div class="stat-name">{single.name}</div>}
      <div class="stat-value">
        {value ? (
          <>
            {before}
            {text}
            <span class="stat-unit">{after}</span>
          </>
        ) : (
          options.text === "name" && single.name
        )}
      </div>
    </div>
  );
}

/** How many columns a number of values gets in a panel of this shape. */
export function columnsOf(orientation: Orientation, count: number, grid: { w: number; h: number }): number {
  if (orientation === "vertical") return count;
  if (orientation === "horizontal") return 1;
  // A column of the grid is about twice as wide as a line is high.
  const wide = (grid.w * 2) / Math.max(grid.h, 1);
  return Math.min(count, Math.max(1, Math.round(Math.sqrt(count * wide))));
}

export function StatPanel({ panel, data }: PanelProps<PanelOf<"stat">>) {
  const { options } = panel;
  const all = singles(panel, data, options.reduce, isDark(), false);
  if (all.length === 0) return <div class="board-empty">{emptyText(panel)}</div>;
  return (
    <div class="stat-grid" style={{ gridTemplateColumns: `repeat(${columnsOf(options.orientation, all.length, panel.grid)}, 1fr)` }}>
      {all.map((single, index) => (
        <Stat key={index} single={single} options={options} count={all.length} />
      ))}
    </div>
  );
}
