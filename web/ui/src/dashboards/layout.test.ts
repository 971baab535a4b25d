import { describe, expect, it } from "vitest";
import { arrange, inRow } from "./layout";
import type { Panel } from "./model";

function panel(id: number, kind: "row" | "text", y: number, h: number): Panel {
  const options = kind === "row" ? { collapsed: false } : { mode: "markdown", content: "" };
  const rest = { title: "", targets: [], field: {}, overrides: [], transformations: [], support: "full", missing: [] };
  return { id, kind, options, grid: { x: 0, y, w: 24, h }, ...rest } as Panel;
}

const board = [
  panel(1, "text", 0, 4),
  panel(2, "row", 4, 1),
  panel(3, "text", 5, 8),
  panel(4, "text", 13, 2),
  panel(5, "row", 15, 1),
  panel(6, "text", 16, 3),
  panel(7, "row", 19, 1),
];

function places(closed: number[]): [number, number][] {
  return arrange(board, new Set(closed)).map(({ id, grid }) => [id, grid.y]);
}

describe("rows", () => {
  it("closes one and moves up what is below", () => {
    expect(places([2])).toEqual([[1, 0], [2, 4], [5, 5], [6, 6], [7, 9]]);
    expect(places([2, 5])).toEqual([[1, 0], [2, 4], [5, 5], [7, 6]]);
    expect(places([7])).toEqual(places([]));
  });
  it("counts its panels", () => {
    expect([1, 4, 6].map((at) => inRow(board, at))).toEqual([2, 1, 0]);
  });
});
