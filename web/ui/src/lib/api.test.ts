import { afterEach, describe, expect, it, vi } from "vitest";
import { ApiError, explain, parseJson, request, sql } from "./api";

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

function line(provisional: boolean, sentence: string): string {
  return `${JSON.stringify({ provisional, sentence })}\n`;
}

describe("explain", () => {
  const asked = { project: "default", store: "shop", where: "status >= 500" };

  it("shows what comes before the exact answer, wherever the parts of the stream end", async () => {
    const text = line(true, "first") + line(true, "second") + line(false, "exact");
    const parts = [text.slice(0, 9), text.slice(9, 60), text.slice(60)];
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        parts.forEach((part) => controller.enqueue(new TextEncoder().encode(part)));
        controller.close();
      },
    });
    vi.stubGlobal("fetch", async () => new Response(body));
    const shown: string[] = [];
    const last = await explain(asked, new AbortController().signal, (report) => shown.push(report.sentence));
    expect(shown).toEqual(["first", "second"]);
    expect(last.sentence).toBe("exact");
  });

  const broken: [string, string, number, string][] = [
    ["a refusal", '{"error":"no store shop"}', 404, "no store shop"],
    ["an error on the way", `${line(true, "first")}{"error":"out of memory"}\n`, 200, "out of memory"],
    ["an answer without its end", line(true, "first"), 200, "the server broke its answer off"],
  ];
  it.each(broken)("says %s", async (_name, body, status, message) => {
    answer(body, status);
    const never = new AbortController().signal;
    await expect(explain(asked, never, () => undefined)).rejects.toThrow(message);
  });
});
