import { cleanup, fireEvent, render, screen, within } from "@testing-library/preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import { groupsOf, usageOf } from "../../dev/usage";
import { setParameters } from "../router";
import { requestsRate, shareOf } from "./flow";
import { slowest } from "./GroupsTable";
import { warmth } from "./Meter";
import { ranked } from "./ShardsTable";
import { UsagePage } from "./UsagePage";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("shares", () => {
  it.each([
    [5, 10, 0.5, "calm"],
    [8, 10, 0.8, "warm"],
    [10, 10, 1, "over"],
    [0, 0, 0, "calm"],
    [1, 0, Infinity, "over"],
  ])("%d of %d", (used, limit, share, state) => {
    expect(shareOf(used, limit)).toBe(share);
    expect(warmth(share)).toBe(state);
  });

  it("shows that a slow rate is not nothing", () => expect(requestsRate(0.04)).toBe("0.04/s"));
});

describe("what needs a look comes first", () => {
  it("ranks shards by what is asked of them", () => {
    const shards = usageOf("shop").projects[0]!.shard_usage;
    expect(ranked(shards).map(({ store, shard }) => `${store}/${shard}`)).toEqual(["orders/5", "payments/0", "orders/0"]);
  });

  it("names the shard that is furthest behind", () => {
    const [group] = groupsOf("shop");
    expect(slowest(group!)?.shard).toBe(5);
    expect(slowest({ ...group!, shards: group!.shards.map((shard) => ({ ...shard, behind: 0 })) })).toBeUndefined();
  });
});

function answer(path: string): unknown {
  const url = new URL(path, "http://x");
  const project = url.searchParams.get("project");
  return url.pathname === "/api/groups" ? { groups: groupsOf(project) } : usageOf(project);
}

describe("the page", () => {
  it("tells what is refused and opens a project", async () => {
    vi.stubGlobal("fetch", async (path: string) => new Response(JSON.stringify(answer(path))));
    render(<UsagePage />);
    const shop = (await screen.findByRole("button", { name: "shop" })).closest("tr")!;
    expect(within(shop).getByText("5,204")).toBeTruthy();
    expect(within(shop).getByText("barred for 1s")).toBeTruthy();
    expect(within(shop).getByText("1 hot shard")).toBeTruthy();
    expect(screen.getByRole("status").textContent).toBe("2 projects, 5204 refused");

    fireEvent.click(screen.getByRole("button", { name: "shop" }));
    expect(await screen.findByText("reads orders")).toBeTruthy();
    expect(screen.getByText("worker-a, worker-b")).toBeTruthy();
    expect(screen.getByText("shard 5")).toBeTruthy();
  });

  it("splits and merges shards when that is meant", async () => {
    const changes: string[] = [];
    vi.stubGlobal("fetch", async (path: string, init?: RequestInit) => {
      if (init?.method !== "POST") return new Response(JSON.stringify(answer(path)));
      changes.push(`${new Headers(init.headers).get("x-log-project")} ${path}`);
      if (path.endsWith("split")) return new Response("[]");
      return new Response(JSON.stringify({ errorCode: "ParameterInvalid", errorMessage: "it has no neighbour" }), { status: 400 });
    });
    const asked: string[] = [];
    const answers = [false, true, true];
    vi.stubGlobal("confirm", (text: string) => (asked.push(text), answers.shift()));
    setParameters({ project: "shop" });
    render(<UsagePage />);
    const split = await screen.findByRole("button", { name: "Split shard 5 of orders" });
    fireEvent.click(split);
    expect(changes).toEqual([]);
    fireEvent.click(split);
    fireEvent.click(screen.getByRole("button", { name: "Merge shard 0 of payments" }));
    expect(await screen.findByText("it has no neighbour")).toBeTruthy();
    expect(asked[0]).toContain("Split shard 5 of orders");
    expect(changes).toEqual([
      "shop /logstores/orders/shards/5?action=split",
      "shop /logstores/payments/shards/0?action=merge",
    ]);
  });
});
