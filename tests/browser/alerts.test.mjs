// The alerts page against a running demo whose culprit is customer 1002.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertAccessible, consoleUrl, launch, openPage } from "./browser.mjs";

/** The demo's alert comes within 45 s of its start; the page asks every two seconds. */
const ALERT_MS = 75_000;
const CULPRIT = { dimension: "customer_id", value: "1002" };

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

describe("the demo's alert", () => {
  it("names the customer first, with its evidence, and leads to its rows", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/alerts"));
    const cause = page.locator(".cause", { hasText: `${CULPRIT.dimension} = ${CULPRIT.value}` }).first();
    await cause.waitFor({ timeout: ALERT_MS });
    const card = page.locator("article.incident").filter({ has: cause }).first();

    const first = card.locator(".evidence tbody").first();
    assert.equal(await first.locator(".item-dimension").first().textContent(), CULPRIT.dimension);
    assert.equal(await first.locator(".item-value").first().textContent(), CULPRIT.value);
    const [shareA, shareB] = await first.locator(".bar-share").allTextContents();
    assert.ok(parseFloat(shareA) > 50, `most of slice A has it: ${shareA}`);
    assert.ok(parseFloat(shareB.replace("<", "")) < 20, `hardly any of slice B has it: ${shareB}`);
    await card.locator(".trend canvas").waitFor();
    await assertAccessible(page);

    await first.getByRole("link", { name: "Rows" }).click();
    await page.getByRole("grid", { name: "Result rows" }).waitFor();
    await page.getByRole("row").nth(1).click();
    const field = page
      .locator(".row-detail dl > div")
      .filter({ has: page.getByText(CULPRIT.dimension, { exact: true }) });
    assert.equal(await field.locator("dd").textContent(), CULPRIT.value);
    assert.deepEqual(errors, []);
    await close();
  });

  it("lists the rules with their health", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/alerts"));
    await page.locator(".rules tbody th[scope=row]").first().waitFor();
    assert.ok((await page.locator(".rules .state-ok").count()) > 0);
    assert.deepEqual(errors, []);
    await close();
  });
});
