// The query page against a running demo: SQL shows rows, PromQL draws lines, mistakes say what is wrong.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertAccessible, consoleUrl, coloredPixels, launch, openPage, serverStores } from "./browser.mjs";

let browser;
let shop;

before(async () => {
  browser = await launch();
  const stores = await serverStores("default");
  shop =
    stores.find((store) => store.kind === "logs" && store.rows > 100) ?? stores.find((store) => store.kind === "logs");
  assert.ok(shop, `the demo has a log store; it has ${JSON.stringify(stores)}`);
});
after(() => browser.close());

function address(query, more = {}) {
  return consoleUrl(`/?${new URLSearchParams({ q: query, ...more })}`);
}

async function settled(page) {
  await page.waitForFunction(() => !document.querySelector("[role=status]")?.textContent?.startsWith("Running"));
}

describe("SQL", () => {
  it("shows the newest rows on a first visit, without a word typed", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/"));
    await page.getByRole("row").nth(5).waitFor();
    const status = await page.locator(".query-status").textContent();
    assert.match(status, /^[\d,]+ rows? · \d+ columns? · \d+ ms on the server · \d+ ms in all$/);
    await page.locator(".cm-content").waitFor();
    await assertAccessible(page);
    assert.deepEqual(errors, []);
    await close();
  });

  it("runs what is typed with Ctrl+Enter and keeps it in the address", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/"));
    const editor = page.locator(".cm-content");
    await editor.click();
    await page.keyboard.press("Control+a");
    const query = `SELECT * FROM "${shop.name}" ORDER BY _time DESC LIMIT 37`;
    await page.keyboard.insertText(query);
    await page.keyboard.press("Control+Enter");
    await page.getByRole("grid", { name: "Result rows" }).and(page.locator("[aria-rowcount='38']")).waitFor();
    assert.equal(new URL(page.url()).searchParams.get("q"), query);
    await page.reload();
    await page.locator("[aria-rowcount='38']").waitFor();
    await page.getByRole("row").nth(3).click();
    assert.equal(await page.locator(".row-detail dt").first().textContent(), "_time");
    assert.deepEqual(errors, []);
    await close();
  });

  it("shows integers to their last digit, nulls as such, and large results without drawing them all", async () => {
    const { page, close } = await openPage(browser);
    const digits = "9007199254740993";
    await page.goto(address(`SELECT CAST(${digits} AS BIGINT) AS big, NULL AS nothing`));
    await page.getByRole("gridcell", { name: digits }).waitFor();
    assert.equal(await page.locator(".grid-null").textContent(), "null");
    await page.goto(address("SELECT value AS n FROM generate_series(1, 20000)", { from: "all" }));
    await page.locator("[aria-rowcount='20001']").waitFor();
    assert.ok((await page.getByRole("row").count()) < 120);
    await page.locator(".grid").evaluate((grid) => (grid.scrollTop = grid.scrollHeight));
    await page.getByRole("gridcell", { name: "20000", exact: true }).waitFor();
    await close();
  });

  it("tells nothing found from nothing known", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(address(`SELECT * FROM "${shop.name}" WHERE 1 = 0`));
    await page.getByText("No results: the query ran and no row matched").waitFor();
    await page.goto(address("SELECT * FROM no_such_store_anywhere"));
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.textContent(), /no_such_store_anywhere/);
    await close();
  });

  it("draws an aggregate over time", async () => {
    const { page, errors, close } = await openPage(browser);
    const query = `SELECT date_bin(INTERVAL '5 seconds', _time) AS t, count(*) AS n FROM "${shop.name}" GROUP BY 1 ORDER BY 1`;
    await page.goto(address(query));
    await page.locator(".uplot canvas").waitFor();
    await settled(page);
    assert.ok((await coloredPixels(page, ".uplot canvas")) > 100);
    assert.deepEqual(errors, []);
    await close();
  });
});

describe("PromQL", () => {
  it("draws the lines of a metric of this server, with a legend and the last values", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/?mode=promql&project=system&from=now-1m"));
    await page.locator(".names button").first().waitFor();
    await page.locator(".cm-content").click();
    await page.locator(".names button").first().click();
    await page.keyboard.press("Control+Enter");
    await page.locator(".uplot canvas").waitFor();
    await page.getByRole("grid", { name: "Values at the end of the range" }).waitFor();
    assert.ok((await coloredPixels(page, ".uplot canvas")) > 100);
    assert.ok((await page.locator(".legend-name").count()) > 0);
    await assertAccessible(page);
    assert.deepEqual(errors, []);
    await close();
  });

  it("says where a query is wrong", async () => {
    const { page, close } = await openPage(browser);
    await page.goto(consoleUrl("/?mode=promql&project=system&q=sum(up"));
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.ok((await alert.textContent()).length > "Error".length);
    await close();
  });
});
