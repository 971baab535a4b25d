// Which panels are on the page, and where: a closed row takes its panels away, and what is below moves up.
import type { Panel } from "./model";

export function isRow(panel: Panel): boolean {
  return panel.kind === "row";
}

/** How many panels stand in the row at this place. */
export function inRow(panels: readonly Panel[], at: number): number {
  const next = panels.findIndex((panel, index) => index > at && isRow(panel));
  return (next < 0 ? panels.length : next) - at - 1;
}

export function arrange(panels: readonly Panel[], closed: ReadonlySet<number>): Panel[] {
  let shift = 0;
  let hiding = false;
  let top = 0;
  const result: Panel[] = [];
  for (const panel of panels) {
    if (isRow(panel)) {
      // The first line below the row before this one's panels: closed rows leave none of it.
      if (hiding) shift += panel.grid.y - top;
      hiding = closed.has(panel.id);
      top = panel.grid.y + 1;
    } else if (hiding) {
      continue;
    }
    result.push(shift === 0 ? panel : { ...panel, grid: { ...panel.grid, y: panel.grid.y - shift } });
  }
  return result;
}
