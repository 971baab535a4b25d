// The box that follows the cursor: the time, then the lines, the nearest to the cursor first.
import type uPlot from "uplot";
import { type Formatter, formatTime } from "../format";
import type { Cell } from "./align";

/** More lines than this would hide the chart. */
const LINES_MAX = 12;

export interface TooltipLine {
  name: string;
  color: string;
  format: Formatter;
  values: Cell[];
}

function text(tag: string, className: string, content: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = content;
  return element;
}

function row(line: TooltipLine, value: number): HTMLElement {
  const element = document.createElement("div");
  element.className = "chart-tip-row";
  const swatch = text("span", "chart-swatch", "");
  swatch.style.background = line.color;
  element.append(
    swatch,
    text("span", "chart-tip-name", line.name),
    text("span", "chart-tip-value", line.format(value)),
  );
  return element;
}

function fill(box: HTMLElement, chart: uPlot, lines: TooltipLine[], index: number): void {
  const at = chart.data[0][index];
  const shown = lines
    .map((line, position) => ({ line, value: line.values[index], drawn: chart.data[position + 1]?.[index], position }))
    .filter(({ value, position }) => typeof value === "number" && chart.series[position + 1]?.show !== false);
  const cursor = chart.posToVal(chart.cursor.top ?? 0, "y");
  shown.sort((a, b) => Math.abs((a.drawn ?? 0) - cursor) - Math.abs((b.drawn ?? 0) - cursor));
  const rows = shown.slice(0, LINES_MAX).map(({ line, value }) => row(line, value as number));
  box.replaceChildren(text("div", "chart-tip-time", formatTime((at ?? 0) * 1000)), ...rows);
  const rest = shown.length - rows.length;
  if (rest > 0) box.append(text("div", "chart-tip-more", `and ${rest} more`));
}

/** A uPlot plugin; `lines` gives the values as they are, not as they are stacked. */
export function tooltip(lines: TooltipLine[]): uPlot.Plugin {
  const box = text("div", "chart-tip", "");
  box.hidden = true;
  return {
    hooks: {
      init: (chart) => {
        chart.over.append(box);
        chart.over.addEventListener("mouseleave", () => (box.hidden = true));
      },
      setCursor: (chart) => {
        const { left = -1, top = -1, idx } = chart.cursor;
        // A synchronised cursor of another chart has no place of its own here, so only the line moves.
        const own = chart.over.matches(":hover");
        box.hidden = !own || left < 0 || idx === null || idx === undefined;
        if (box.hidden) return;
        fill(box, chart, lines, idx as number);
        const width = chart.over.clientWidth;
        const right = left > width / 2;
        box.style.left = right ? "" : `${left + 14}px`;
        box.style.right = right ? `${width - left + 14}px` : "";
        box.style.top = `${Math.max(Math.min(top - 20, chart.over.clientHeight - box.offsetHeight), 0)}px`;
      },
    },
  };
}
