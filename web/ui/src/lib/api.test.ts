import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, parseJson, request, sql } from "./api";

function answer(body: string, status = 200): void {
  vi.stubGlobal("fetch", async () => new Response(body, { status, statusText: "Some Reason" }));
}

afterEach(() => vi.unstubAllGlobals());

describe("parseJson", () => {
  it("leaves other numbers and long digits inside text alone", () => {
    expect(parseJson('[1.5,12,"1234567890123456789",1e300]')).toEqual([1.5, 12, "1234567890123456789", 1e300]);
  });
});

describe("request", () => {
  const cases: [string, string, number, string][] = [
    [
      "the server's own sentence",
      '{"error":"no store `shp` in project default"}',
      404,
      "no store `shp` in project default",
    ],
    [
      "Prometheus' sentence",
      '{"status":"error","errorType":"bad_data","error":"1:3: unexpected )"}',
      400,
      "1:3: unexpected )",
    ],
    ["the first line of a plain text", "bad gateway\nmore", 502, "bad gateway"],
    ["the status where nothing is said", "", 503, "the server answered 503 Some Reason without a reason"],
  ];
  it.each(cases)("says %s", async (_name, body, status, message) => {
    answer(body, status);
    await expect(request("/api/x")).rejects.toEqual(new ApiError(message, status));
  });

  it("names the server that does not answer", async () => {
    vi.stubGlobal("fetch", async () => {
      throw new TypeError("Failed to fetch");
    });
    await expect(request("/api/x")).rejects.toThrow(/does not answer; is it running\?/);
  });

  it("passes an abort on as an abort", async () => {
    vi.stubGlobal("fetch", async (_path: string, init: RequestInit) => {
      init.signal?.throwIfAborted();
      return new Response("{}");
    });
    const controller = new AbortController();
    controller.abort();
    const asked = sql({ project: "default", query: "SELECT 1" }, controller.signal);
    await expect(asked).rejects.toMatchObject({ name: "AbortError" });
  });

  it("names the route whose answer is not JSON", async () => {
    answer("<html>");
    await expect(request("/api/stores?project=p")).rejects.toThrow("the server's answer to /api/stores is not JSON");
  });
});
