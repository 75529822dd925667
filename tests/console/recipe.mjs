// The recipe of docs/clients.md for EventSource, in a page that comes from a node: its usage prints what the page says,
// and its copy follows what is written, over refusals and the death of the node.
import assert from "node:assert/strict";
import { api, ask, nodes, openConsole, step, withBrowser } from "./browser.mjs";

const { library, usage, told, writes } = JSON.parse(process.env.RECIPE);

async function visit(browser) {
  const page = await openConsole(browser, nodes[0]);
  const printed = [];
  page.on("console", (message) => message.type() === "log" && printed.push(message.text()));
  // What somebody else has at the path when the page begins to watch is told first.
  const write = async ([method, path, body]) => {
    const { status } = await api(1, method, `/kv/${path}`, body);
    assert(status < 300, `${method} ${path}: ${status}`);
  };
  const copied = () => page.evaluate(() => Object.fromEntries(window.mirror.values));
  const follows = async (what) => {
    const wanted = JSON.parse((await api(1, "GET", "/kv/users/?recursive=true&values=true")).text).entries;
    const values = Object.fromEntries(wanted.map(({ name, data }) => [`users/${name}`, data]));
    const same = (text) => JSON.stringify(Object.entries(Object.fromEntries(window.mirror.values)).sort()) === text;
    await page
      .waitForFunction(same, JSON.stringify(Object.entries(values).sort()))
      .catch(async () => assert.deepEqual(await copied(), values, what));
  };

  await step("what the page prints", async () => {
    await page.evaluate(`${library}\n${usage}\nwindow.mirror = mirror;\nundefined;`);
    await page.waitForFunction(() => window.mirror.source.readyState === EventSource.OPEN);
    for (const one of writes) {
      await write(one);
      await follows("what was written");
    }
    assert.equal(printed.join("\n"), told.trimEnd());
  });

  await step("a node that refuses for now is asked again", async () => {
    await page.evaluate(() => window.mirror.close());
    const refused = { status: 503, headers: { "Retry-After": "1" }, json: { error: { code: "syncing", message: "later" } } };
    await page.route("**/*watch=true*", (route) => route.fulfill(refused), { times: 1 });
    await page.evaluate(() => window.mirror.open());
    await page.waitForFunction(() => window.mirror.source.readyState === EventSource.CLOSED);
    await write(["PUT", "users/ann", '"after the refusal"']);
    await follows("what was written after a refusal");
  });

  await step("the copy follows over the death of the node", async () => {
    await write(["PUT", "users/old", "1"]);
    await follows("a key that is deleted soon");
    await ask("kill", 1);
    await page.waitForFunction(() => window.mirror.source.readyState !== EventSource.OPEN);
    await ask("start", 1);
    await write(["DELETE", "users/old"]);
    await write(["PUT", "users/new", '{"a":[1,\n2]}']);
    await follows("what was written while nobody watched");
  });

  await step("a copy that begins anew drops what is gone", async () => {
    await page.evaluate(() => {
      window.mirror.close();
      window.mirror.values.set("users/never", 1);
      window.mirror.cursor = "0";
      window.mirror.open();
    });
    await follows("a copy begun anew");
    await page.evaluate(() => window.mirror.close());
  });
}

await withBrowser(visit);
