import { describe, expect, it } from "vitest";
import { align, stack, summarise } from "./align";
import { afterClick } from "./Legend";

describe("align", () => {
  it("takes shared times as they are", () => {
    const lines = [
      { times: [1, 2], values: [5, null] },
      { times: [1, 2], values: [7, 8] },
    ];
    expect(align(lines)).toEqual({
      times: [1, 2],
      columns: [
        [5, null],
        [7, 8],
      ],
    });
  });

  it("joins different times: a gap stays null, a foreign time is undefined", () => {
    const lines = [
      { times: [1, 3], values: [5, null] },
      { times: [2], values: [7] },
    ];
    expect(align(lines)).toEqual({
      times: [1, 2, 3],
      columns: [
        [5, undefined, null],
        [undefined, 7, undefined],
      ],
    });
  });

  it("orders times that came in disorder", () => {
    expect(align([{ times: [3, 1], values: [30, 10] }])).toEqual({ times: [1, 3], columns: [[10, 30]] });
  });

  it("has nothing to say about no lines", () => expect(align([])).toEqual({ times: [], columns: [] }));
});

describe("stack", () => {
  const columns = [
    [1, 2],
    [3, null],
    [5, 6],
  ];
  it("sums what is visible", () => {
    expect(stack(columns, new Set(), "normal")).toEqual([
      [1, 2],
      [4, 2],
      [9, 8],
    ]);
    expect(stack(columns, new Set([1]), "normal")).toEqual([
      [1, 2],
      [3, null],
      [6, 8],
    ]);
  });
  it("shares add up to one, and to nothing where there is nothing", () => {
    expect(
      stack(
        [
          [1, 0],
          [3, 0],
        ],
        new Set(),
        "percent",
      ),
    ).toEqual([
      [0.25, 0],
      [1, 0],
    ]);
  });
});

describe("legend", () => {
  it("gaps do not count", () => {
    expect(summarise([null, 4, undefined, 2, NaN])).toEqual({ last: 2, min: 2, max: 4, mean: 3 });
    expect(summarise([null])).toEqual({ last: null, min: null, max: null, mean: null });
  });

  it("a click shows one line alone, and a second click all of them", () => {
    const alone = afterClick(new Set(), 1, 3, false);
    expect([...alone]).toEqual([0, 2]);
    expect([...afterClick(alone, 1, 3, false)]).toEqual([]);
    expect([...afterClick(alone, 2, 3, true)]).toEqual([0]);
  });
});
