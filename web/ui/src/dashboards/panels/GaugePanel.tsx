// A value on an arc of 240 degrees, the thresholds around it.
import { isDark } from "../../lib/preferences";
import { cssColor, thresholdSteps } from "../colors";
import { textOf } from "../display";
import type { GaugeView, PanelOf } from "../model";
import { emptyText, type Single, singles } from "../singles";
import { written } from "../units";
import type { PanelProps } from "./props";
import { columnsOf } from "./StatPanel";

const START = -210;
const SWEEP = 240;
const CENTER = { x: 100, y: 92 };

function at(position: number, radius: number): string {
  const angle = ((START + SWEEP * position) * Math.PI) / 180;
  return `${(CENTER.x + radius * Math.cos(angle)).toFixed(2)} ${(CENTER.y + radius * Math.sin(angle)).toFixed(2)}`;
}

function arc(from: number, to: number, radius: number): string {
  const large = (to - from) * SWEEP > 180 ? 1 : 0;
  return `M ${at(from, radius)} A ${radius} ${radius} 0 ${large} 1 ${at(to, radius)}`;
}

function share(value: number, { min, max }: { min: number; max: number }): number {
  return max === min ? 0 : Math.min(Math.max((value - min) / (max - min), 0), 1);
}

interface Band {
  from: number;
  to: number;
  color: string;
  label: string;
}

function bands(single: Single, dark: boolean): Band[] {
  const { thresholds, unit } = single.shown.options;
  if (!thresholds) return [];
  const steps = thresholdSteps(thresholds, single.min, single.max);
  return steps
    .map(({ value, color }, index) => ({
      from: share(value, single),
      to: share(steps[index + 1]?.value ?? Infinity, single),
      color: cssColor(color, dark),
      label: Number.isFinite(value) ? written(value, unit) : "",
    }))
    .filter(({ from, to }) => to > from);
}

function Gauge({ single, options, named, dark }: { single: Single; options: GaugeView; named: boolean; dark: boolean }) {
  const { displayed } = single;
  const text = (options.prefix ?? "") + textOf(displayed) + (options.postfix ?? "");
  const filled = displayed.number === null ? 0 : share(displayed.number, single);
  const around = options.threshold_markers || options.threshold_labels ? bands(single, dark) : [];
  // The text stays inside the arc, whose inner width is 120; a digit is about six tenths as wide as it is high.
  const size = Math.min(30, 98 / (Math.max(text.length, 4) * 0.6));
  return (
    <figure class="gauge">
      <svg viewBox="0 0 200 152" role="img" aria-label={`${single.name}: ${text}`}>
        <path d={arc(0, 1, 70)} class="gauge-track" />
        {filled > 0 && <path d={arc(0, filled, 70)} class="gauge-value" style={{ stroke: displayed.color }} />}
        {options.threshold_markers &&
          around.map(({ from, to, color }, index) => (
            <path key={index} d={arc(from, to, 85)} class="gauge-band" style={{ stroke: color }} />
          ))}
        {options.threshold_labels &&
          around.map(({ from, label }, index) => {
            const [x, y] = at(from, 97).split(" ");
            return label && <text key={index} x={x} y={y} class="gauge-label">{label}</text>;
          })}
        <text x={CENTER.x} y={CENTER.y + size / 3} class="gauge-text" style={{ fill: displayed.color, fontSize: `${size}px` }}>
          {text}
        </text>
      </svg>
      {named && <figcaption>{single.name}</figcaption>}
    </figure>
  );
}

export function GaugePanel({ panel, data }: PanelProps<PanelOf<"gauge">>) {
  const dark = isDark();
  const { options } = panel;
  const all = singles(panel, data, options.reduce, dark, true);
  if (all.length === 0) return <div class="board-empty">{emptyText(panel)}</div>;
  const columns = columnsOf(options.orientation, all.length, panel.grid);
  return (
    <div class="gauge-grid" style={{ gridTemplateColumns: `repeat(${columns}, 1fr)` }}>
      {all.map((single, index) => (
        <Gauge key={index} single={single} options={options} named={all.length > 1} dark={dark} />
      ))}
    </div>
  );
}
