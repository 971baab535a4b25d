// A bar per value.
import { isDark } from "../../lib/preferences";
import { cssColor, thresholdSteps } from "../colors";
import { textOf } from "../display";
import type { BargaugeView, PanelOf } from "../model";
import { emptyText, type Single, singles } from "../singles";
import type { PanelProps } from "./props";

/** All bars of a panel share one range, from zero where the values allow it. */
function common(all: readonly Single[]): { min: number; max: number } {
  const numbers = all.map(({ displayed }) => displayed.number).filter((number) => number !== null);
  const low = Math.min(0, ...numbers);
  const high = Math.max(...numbers, low);
  const set = (of: "min" | "max") => all.map(({ shown: { options } }) => options[of]).filter((bound) => bound !== undefined);
  const [mins, maxs] = [set("min"), set("max")];
  return {
    min: mins.length > 0 ? Math.min(...mins) : low,
    max: maxs.length > 0 ? Math.max(...maxs) : high > low ? high : low + 1,
  };
}

function fill(single: Single, options: BargaugeView, bounds: { min: number; max: number }, vertical: boolean, dark: boolean): string {
  const { color } = single.displayed;
  if (options.display !== "gradient") return color;
  const { thresholds } = single.shown.options;
  const value = single.displayed.number ?? bounds.min;
  const steps = thresholds ? thresholdSteps(thresholds, bounds.min, bounds.max).filter((step) => step.value <= value) : [];
  const direction = vertical ? "to top" : "to right";
  const stops = steps.map((step) => cssColor(step.color, dark));
  return stops.length > 1 ? `linear-gradient(${direction}, ${stops.join(", ")})` : color;
}

interface BarProps {
  single: Single;
  options: BargaugeView;
  bounds: { min: number; max: number };
  vertical: boolean;
  dark: boolean;
}

function Bar({ single, options, bounds, vertical, dark }: BarProps) {
  const own = { min: single.shown.options.min ?? bounds.min, max: single.shown.options.max ?? bounds.max };
  const { number } = single.displayed;
  const share = number === null || own.max === own.min ? 0 : Math.min(Math.max((number - own.min) / (own.max - own.min), 0), 1);
  const length = `${(share * 100).toFixed(2)}%`;
  const text = textOf(single.displayed);
  return (
    <div class="bar">
      <span class="bar-name" title={single.name}>{single.name}</span>
      <div
        class={`bar-track ${options.show_unfilled ? "" : "bar-bare"} ${options.display === "lcd" ? "bar-lcd" : ""}`}
        role="meter"
        aria-label={single.name}
        aria-valuetext={text}
        aria-valuemin={own.min}
        aria-valuemax={own.max}
        aria-valuenow={number ?? own.min}
      >
        <div
          class="bar-fill"
          style={{ [vertical ? "height" : "width"]: length, background: fill(single, options, own, vertical, dark) }}
        />
      </div>
      <span class="bar-value">{text}</span>
    </div>
  );
}

export function BargaugePanel({ panel, data }: PanelProps<PanelOf<"bargauge">>) {
  const dark = isDark();
  const { options } = panel;
  const all = singles(panel, data, options.reduce, dark, false);
  if (all.length === 0) return <div class="board-empty">{emptyText(panel)}</div>;
  // As in Grafana, automatic bars stand in a wide panel and lie in a high one.
  const vertical = options.orientation === "vertical" || (options.orientation === "auto" && panel.grid.w * 2 > panel.grid.h * 3);
  const bounds = common(all);
  return (
    <div class={vertical ? "bars bars-up" : "bars"}>
      {all.map((single, index) => (
        <Bar key={index} single={single} options={options} bounds={bounds} vertical={vertical} dark={dark} />
      ))}
    </div>
  );
}
