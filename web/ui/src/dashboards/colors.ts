// Colours of panels: Grafana's names and schemes, on the console's palette for series.
import { lineColor } from "../lib/chart/palette";
import type { FieldOptions, Thresholds } from "./model";

/** Shades from light to dark: `super-light-red`, `light-red`, `red`, `semi-dark-red`, `dark-red`. */
const SHADES: Record<string, readonly string[]> = {
  red: ["#ffa6b0", "#ff7383", "#e0455c", "#d0293f", "#b0142a"],
  orange: ["#ffcb7d", "#ffb357", "#f08a24", "#e56f10", "#c75300"],
  yellow: ["#fff2a0", "#f7df58", "#e6c11f", "#cfa70f", "#b08c00"],
  green: ["#c8f2c2", "#96d98d", "#4fa64b", "#3f8f3d", "#2d6e25"],
  blue: ["#c0d8ff", "#8ab8ff", "#4a86e8", "#2f6fd0", "#1a56b0"],
  purple: ["#deb6f2", "#ca95e5", "#a866e0", "#9248c4", "#7b2fa6"],
};
const PREFIXES = ["super-light-", "light-", "", "semi-dark-", "dark-"];

const NAMED: ReadonlyMap<string, string> = new Map(
  Object.entries(SHADES).flatMap(([hue, shades]) =>
    PREFIXES.map((prefix, index): [string, string] => [prefix + hue, shades[index] ?? "#888888"]),
  ),
);

/** A name of Grafana's or any CSS colour. `text` is the page's own. */
export function cssColor(color: string, dark: boolean): string {
  if (color === "text") return dark ? "#e7e6e2" : "#1b1d21";
  return NAMED.get(color) ?? color;
}

const SCHEMES: Record<string, readonly string[]> = {
  "continuous-GrYlRd": ["green", "yellow", "red"],
  "continuous-RdYlGr": ["red", "yellow", "green"],
  "continuous-BlYlRd": ["dark-blue", "super-light-yellow", "dark-red"],
  "continuous-YlRd": ["super-light-yellow", "dark-red"],
  "continuous-BlPu": ["blue", "purple"],
  "continuous-YlBl": ["super-light-yellow", "dark-blue"],
  "continuous-blues": ["#dbe7fb", "dark-blue"],
  "continuous-reds": ["#fbdede", "dark-red"],
  "continuous-greens": ["#dcf3da", "dark-green"],
  "continuous-purples": ["#efe0f8", "dark-purple"],
  "continuous-viridis": ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"],
};

function channels(hex: string): number[] {
  return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
}

function mix(from: string, to: string, share: number): string {
  const [a, b] = [channels(from), channels(to)];
  const hex = a.map((value, index) => Math.round(value + ((b[index] ?? 0) - value) * share).toString(16).padStart(2, "0"));
  return `#${hex.join("")}`;
}

function along(stops: readonly string[], share: number, dark: boolean): string {
  const at = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
  const low = Math.min(Math.floor(at), stops.length - 2);
  return mix(cssColor(stops[low] ?? "", dark), cssColor(stops[low + 1] ?? "", dark), at - low);
}

/** The bounds of the steps as values: percentages are of min to max. */
export function thresholdSteps(thresholds: Thresholds, min: number, max: number): { value: number; color: string }[] {
  return thresholds.steps.map(({ value, color }) => {
    if (value === null) return { value: -Infinity, color };
    return { value: thresholds.mode === "percentage" ? min + (value / 100) * (max - min) : value, color };
  });
}

const DEFAULT_THRESHOLDS: Thresholds = {
  mode: "absolute",
  steps: [
    { value: null, color: "green" },
    { value: 80, color: "red" },
  ],
};

/** What decides the colour of a value. */
export interface Coloring {
  options: FieldOptions;
  /** The field's place among all, for palettes. */
  index: number;
  min: number;
  max: number;
  dark: boolean;
}

export function thresholdColor(value: number, { options, min, max, dark }: Coloring): string {
  const steps = thresholdSteps(options.thresholds ?? DEFAULT_THRESHOLDS, min, max);
  return cssColor(steps.findLast((step) => value >= step.value)?.color ?? steps[0]?.color ?? "green", dark);
}

/** The colour of a value; of a whole series when `value` is null. `otherwise` is the mode where none is set. */
export function valueColor(value: number | null, coloring: Coloring, otherwise: "palette-classic" | "thresholds"): string {
  const { options, index, min, max, dark } = coloring;
  const mode = options.color?.mode ?? otherwise;
  if (mode === "fixed" || mode === "shades") return cssColor(options.color?.fixed ?? "text", dark);
  const scheme = SCHEMES[mode];
  if (scheme) return along(scheme, value === null || max === min ? 1 : (value - min) / (max - min), dark);
  if (mode === "thresholds") return thresholdColor(value ?? -Infinity, coloring);
  return lineColor(index, dark);
}
