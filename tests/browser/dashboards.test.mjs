// The dashboards that come with the server: listed, and every panel of them understood and drawn.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { assertAccessible, consoleUrl, launch, openPage, serverJson } from "./browser.mjs";

let browser;
let builtin;
before(async () => {
  browser = await launch();
  builtin = (await serverJson("/api/dashboards")).dashboards.filter((board) => board.builtin);
});
after(() => browser.close());

describe("the built-in dashboards", () => {
  it("are two, and understood whole", () => {
    assert.ok(builtin.length >= 2, JSON.stringify(builtin));
    for (const board of builtin) assert.equal(board.none, 0, `${board.title} has panels that are not understood`);
  });

  it("are in the list", async () => {
    const { page, errors, close } = await openPage(browser);
    await page.goto(consoleUrl("/dashboards"));
    for (const { uid, title } of builtin) {
      const link = page.getByRole("link", { name: title }).first();
      await link.waitFor();
      assert.equal(await link.getAttribute("href"), `/ui/dashboards/${uid}`);
    }
    await assertAccessible(page);
    assert.deepEqual(errors, []);
    await close();
  });

  it("show their panels with data and no error", async () => {
    const { page, errors, close } = await openPage(browser, { viewport: { width: 1400, height: 3000 } });
    for (const { uid, title } of builtin) {
      const dashboard = await serverJson(`/api/dashboards/${uid}`);
      const panels = dashboard.panels.filter((panel) => panel.kind !== "row");
      await page.goto(consoleUrl(`/dashboards/${uid}`));
      await page.getByRole("heading", { name: title }).first().waitFor();
      await page
        .locator("[data-panel]")
        .nth(panels.length - 1)
        .waitFor();
      await page.waitForFunction(() => !document.querySelector("[data-panel][aria-busy=true]"));
      assert.equal(await page.locator("[data-panel][data-support=none]").count(), 0);
      const failed = await page.locator("[data-panel] [role=alert]").allTextContents();
      assert.deepEqual(failed, [], `${title} has panels that failed`);
    }
    assert.deepEqual(errors, []);
    await close();
  });
});
