import { afterEach, describe, expect, it, vi } from "vitest";
import type { Variable } from "./model";
import { ALL, choose, held, inOrder, parseQuery, pick, resolveAll, scopeOf, sorted, storeOf } from "./variables";

function variable(name: string, more: Partial<Variable> = {}): Variable {
  return { name, kind: "query", hide: "nothing", sort: 0, query: "", ...more };
}

const store = variable("datasource", { kind: "datasource" });

afterEach(() => vi.unstubAllGlobals());

describe("order", () => {
  it("asks a variable after those that it needs", () => {
    const variables = [
      variable("node", { query: 'label_values(x{job="$job"}, instance)' }),
      variable("job", { query: "label_values(x, job)" }),
      store,
    ];
    expect(inOrder(variables).map(({ name }) => name)).toEqual(["datasource", "job", "node"]);
  });
  it("survives a circle", () => {
    const names = inOrder([variable("a", { query: "$b" }), variable("b", { query: "$a" })]).map(({ name }) => name);
    expect(names.toSorted()).toEqual(["a", "b"]);
  });
});

describe("queries of variables", () => {
  it.each([
    ["label_values(job)", { ask: "label_values", label: "job", match: undefined }],
    ['label_values(up{a="x,y(z)", b=~"c"}, instance)', { ask: "label_values", label: "instance", match: 'up{a="x,y(z)", b=~"c"}' }],
    ["label_values( up,  job )", { ask: "label_values", label: "job", match: "up" }],
    ["label_names()", { ask: "label_names" }],
    ["metrics(node_.*)", { ask: "metrics", pattern: "node_.*" }],
    ["query_result(topk(3, sum(up)))", { ask: "query_result", query: "topk(3, sum(up))" }],
    ["up{job='x'}", { ask: "series", match: "up{job='x'}" }],
  ])("%s", (query, expected) => {
    expect(parseQuery(query)).toEqual(expected);
  });

  it("picks the first group and drops what does not match", () => {
    const found = ['up{host="a",x="1"} 1 0', 'up{host="b"} 1 0', 'up{host="a"} 0 0', "other"];
    expect(pick(found, '/host="([^"]*)"/').map(({ value }) => value)).toEqual(["a", "b"]);
    expect(pick(["id-7 seven"], "/(?<value>id-\\d+) (?<text>.*)/")).toEqual([{ value: "id-7", text: "seven" }]);
  });

  it.each([
    [0, ["b10", "a2", "B1"]],
    [1, ["B1", "a2", "b10"]],
    [2, ["b10", "a2", "B1"]],
    [3, ["B1", "a2", "b10"]],
    [4, ["b10", "a2", "B1"]],
    [5, ["a2", "B1", "b10"]],
    [7, ["a2", "B1", "b10"]],
  ])("sort %d", (sort, expected) => {
    const choices = ["b10", "a2", "B1"].map((text) => ({ text, value: text }));
    expect(sorted(choices, sort).map(({ text }) => text)).toEqual(expected);
  });
});

describe("choice", () => {
  const choices = ["a", "b"].map((value) => ({ value, text: value }));
  it.each<[string, Partial<Variable>, string[] | undefined, string[]]>([
    ["the first", {}, undefined, ["a"]],
    ["the dashboard's", { current: ["b"] }, undefined, ["b"]],
    ["the address's", { current: ["b"] }, ["a"], ["a"]],
    ["none that is gone", { current: ["gone"] }, ["gone too"], ["a"]],
    ["all", { include_all: true }, undefined, [ALL]],
    ["one of many asked", {}, ["b", "a"], ["b"]],
    ["many", { multi: true }, ["b", "a"], ["b", "a"]],
    ["what was typed", { kind: "textbox" }, ["anything"], ["anything"]],
  ])("takes %s", (_, more, asked, expected) => {
    expect(choose(variable("v", more), choices, asked)).toEqual(expected);
  });

  it("expands all", () => {
    const resolved = { variable: variable("v", { include_all: true }), choices, values: [ALL] };
    expect(held(resolved)).toMatchObject({ values: ["a", "b"], plural: true, allValue: undefined });
    expect(held({ ...resolved, variable: variable("v", { include_all: true, all_value: ".+" }) }).allValue).toBe(".+");
  });
});

describe("against a server", () => {
  it("chains variables and asks the chosen store", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", (path: string) => {
      asked.push(decodeURIComponent(path).replaceAll("+", " "));
      const data = path.includes("/label/job/") ? ["node", "app"] : ["10.0.0.1:9100"];
      return Promise.resolve(new Response(JSON.stringify({ status: "success", data })));
    });
    const variables = [
      store,
      variable("job", { query: "label_values(node_uname_info, job)", sort: 1 }),
      variable("node", { query: 'label_values(node_uname_info{job="$job"}, instance)' }),
    ];
    const resolved = await resolveAll(
      {
        variables,
        chosen: { job: ["node"] },
        stores: [{ project: "shop", store: "metrics" }],
        range: { from: 0, to: 3_600_000 },
      },
      new AbortController().signal,
    );
    expect(resolved.map(({ values }) => values)).toEqual([["shop/metrics"], ["node"], ["10.0.0.1:9100"]]);
    expect(resolved[1]?.choices.map(({ value }) => value)).toEqual(["app", "node"]);
    expect(asked[1]).toBe('/prometheus/shop/metrics/api/v1/label/instance/values?match[]=node_uname_info{job="node"}');
    expect(storeOf(undefined, variables, scopeOf(resolved))).toEqual({ project: "shop", store: "metrics" });
  });

  it("offers the default store first, and a board's own store where it names one", async () => {
    const stores = ["apps", "default", "system"].map((project) => ({ project, store: "metrics" }));
    const ask = async (own: string[]) => {
      const variables = [variable("store", { kind: "datasource", current: own })];
      const asked = { variables, chosen: {}, stores, range: { from: 0, to: 1000 } };
      return (await resolveAll(asked, new AbortController().signal)).map(({ values }) => values);
    };
    expect(await ask([])).toEqual([["default/metrics"]]);
    expect(await ask(["system/metrics"])).toEqual([["system/metrics"]]);
  });

  it("keeps the page alive when a variable cannot be resolved", async () => {
    vi.stubGlobal("fetch", () => Promise.resolve(new Response(JSON.stringify({ error: "no such store" }), { status: 404 })));
    const variables = [store, variable("job", { query: "label_values(job)", current: ["node"] })];
    const asked = { variables, chosen: {}, stores: [], range: { from: 0, to: 1000 } };
    const [, job] = await resolveAll(asked, new AbortController().signal);
    expect(job).toMatchObject({ values: ["node"], error: "no such store" });
  });
});
