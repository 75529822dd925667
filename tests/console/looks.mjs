// Every view in both colour schemes, wide and on a phone: by the rules for accessible pages, and as pictures if
// KVS_PICTURES names a folder for them.
import assert from "node:assert/strict";
import { api, ask, assertUntroubled, nodes, openConsole, step, violations, withBrowser } from "./browser.mjs";

const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
const WIDE = { viewport: { width: 1280, height: 800 } };
const pictures = process.env.KVS_PICTURES;

const PROFILE = '{"name":"Ada Lovelace","email":"ada@example.com","age":36,"tags":["admin","beta"],"limits":{"disk":1.5e9,"trial":false,"until":null}}';

async function fill() {
  const keys = {
    "users/ada/profile": PROFILE,
    "users/ada/settings": '{"theme":"dark"}',
    "users/grace/profile": '{"name":"Grace Hopper"}',
    "flags/new-checkout": "true",
    "config/limits": '{"rps":500}',
  };
  for (let i = 0; i < 12; i += 1) {
    keys[`devices/sensor-${String(i).padStart(2, "0")}/state`] = `{"celsius":${20 + i / 10}}`;
  }
  await Promise.all(Object.entries(keys).map(([key, value]) => api(1, "PUT", `/kv/${key}`, value)));
}

/** Reads and writes, so that there is something to plot, until stopped. */
function load() {
  const work = { on: true };
  const client = async (node) => {
    for (let i = 0; work.on; i += 1) {
      await api(node, i % 4 === 0 ? "PUT" : "GET", "/kv/load/x", i % 4 === 0 ? `${i}` : undefined).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 4));
    }
  };
  client(1);
  client(2);
  return work;
}

/** The views, and what has to be seen before they are looked at. */
const VIEWS = [
  { name: "cluster", place: "#/", ready: (page) => page.locator(".members tbody tr").nth(2).waitFor() },
  { name: "keys", place: "#/keys/users/ada/profile", ready: (page) => page.locator(".t-key").first().waitFor() },
  { name: "edit", place: "#/keys/users/ada/profile", ready: beginConflict },
  { name: "new", place: "#/keys/?new", ready: (page) => page.getByLabel("Path of the new key").fill("users/alan") },
  { name: "tree", place: "#/keys/users/ada/", ready: (page) => page.getByRole("treeitem", { name: "profile" }).first().waitFor() },
  { name: "conflicts", place: "#/conflicts", ready: (page) => page.getByRole("link", { name: "conflict/" }).first().waitFor() },
];

async function beginConflict(page) {
  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByLabel("Value, as JSON").fill(PROFILE.replace('"age":36', '"age":37'));
  await api(1, "PUT", "/kv/users/ada/profile", PROFILE.replace("beta", "staff"));
  await page.getByRole("button", { name: "Compare" }).click();
  await page.locator("td.theirs").first().waitFor();
}

async function look(page, name) {
  if (pictures) {
    await page.screenshot({ path: `${pictures}/console-${name}.png` });
  }
  assert.deepEqual(await violations(page), [], name);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert(overflow <= 0, `${name} is ${overflow} px wider than the window`);
  assertUntroubled(page);
}

async function lookAtAll(browser, shape, colorScheme, suffix) {
  for (const view of VIEWS) {
    await step(`${view.name}${suffix}`, async () => {
      await api(1, "PUT", "/kv/users/ada/profile", PROFILE);
      const page = await openConsole(browser, nodes[0], { ...shape, colorScheme, place: view.place });
      await page.locator(".here .state").filter({ hasText: "serving" }).waitFor();
      await view.ready(page);
      await look(page, `${view.name}${suffix}`);
      await page.context().close();
    });
  }
}

async function looks(browser) {
  await fill();
  const work = load();
  // The plots need time to fill; the other views are looked at meanwhile.
  const rates = await Promise.all(
    [
      [WIDE, "light", ""],
      [WIDE, "dark", "-dark"],
      [PHONE, "light", "-phone"],
      [PHONE, "dark", "-phone-dark"],
    ].map(async ([shape, colorScheme, suffix]) => ({
      page: await openConsole(browser, nodes[0], { ...shape, colorScheme, place: "#/rates" }),
      shape,
      colorScheme,
      suffix,
    })),
  );
  for (const { shape, colorScheme, suffix } of rates) {
    await lookAtAll(browser, shape, colorScheme, suffix);
  }
  for (const { page, suffix } of rates) {
    await step(`rates${suffix}`, async () => {
      await page.locator("path.line.s0[d*=L]").nth(2).waitFor({ state: "attached" });
      await look(page, `rates${suffix}`);
    });
  }
  work.on = false;
  await lookAtTrouble(browser);
}

/** One member gone, then the node itself. */
async function lookAtTrouble(browser) {
  const pages = await Promise.all(["light", "dark"].map((colorScheme) => openConsole(browser, nodes[0], { ...WIDE, colorScheme })));
  await pages[0].locator(".members tbody tr").nth(2).waitFor();
  await ask("kill", 3);
  await api(1, "PUT", "/kv/users/ada/profile", PROFILE);
  for (const [i, suffix] of ["", "-dark"].entries()) {
    await step(`a member that failed${suffix}`, async () => {
      await pages[i].getByRole("img", { name: /node3: failed/ }).waitFor();
      await look(pages[i], `failed${suffix}`);
    });
  }
  await ask("kill", 1);
  for (const [i, suffix] of ["", "-dark"].entries()) {
    await step(`a node that is silent${suffix}`, async () => {
      await pages[i].getByRole("alert").waitFor();
      await look(pages[i], `silent${suffix}`);
    });
  }
  await ask("start", 1);
  await ask("start", 3);
}

await withBrowser(looks);
