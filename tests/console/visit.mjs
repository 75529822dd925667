// A visit to the console of node 1 of a cluster of three, as a person makes it: creates, edits, watches, meets an edit
// of somebody else's, sees nodes die and return.
import assert from "node:assert/strict";
import { api, ask, assertUntroubled, nodes, openConsole, step, withBrowser } from "./browser.mjs";

const ADA = "/kv/users/ada/profile";
const TYPED = '{"name": "Ada",\n "id": 12345678901234567890, "rate": 1.50}';

async function stored(node, path) {
  return (await api(node, "GET", path)).text;
}

/** Until the condition holds; polls, since other nodes are no part of the page. */
async function until(condition, what) {
  const end = Date.now() + 15_000;
  while (!(await condition())) {
    assert(Date.now() < end, `not within 15 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function visit(browser) {
  const page = await openConsole(browser, nodes[0]);
  const sentence = page.locator("h1.sentence");
  const message = page.locator(".message");
  const value = page.locator("pre.value");
  const text = page.getByLabel("Value, as JSON");
  const see = (locator, wanted) => locator.filter({ hasText: wanted }).first().waitFor();
  const tree = page.getByRole("tree");
  const conflict = page.locator(".conflict");

  await step("the cluster is shown", async () => {
    await see(sentence, "All 3 members hold the same data.");
    await page.getByRole("img", { name: /node1; node2: same data; node3: same data/ }).waitFor();
    assert.equal(await page.locator(".members tbody tr").count(), 3);
  });

  await step("a key is made, by keyboard alone", async () => {
    await page.getByRole("link", { name: "Keys", exact: true }).press("Enter");
    await page.getByRole("link", { name: "New key" }).press("Enter");
    await page.getByLabel("Path of the new key").waitFor();
    await page.keyboard.type("users/ada/profile");
    await page.keyboard.press("Tab");
    await page.keyboard.type('{"name": Ada}');
    await see(page.locator(".fault"), "Line 1, column 10: a value was expected.");
    assert(await page.getByRole("button", { name: "Save" }).isDisabled());
    await text.fill(TYPED);
    await page.keyboard.press("Control+s");
    await see(message, "Saved as version");
    assert.equal(await stored(1, ADA), TYPED);
    // Laid out to be read; digits as they were typed.
    await see(value, '"id": 12345678901234567890,\n  "rate": 1.50\n');
  });

  await step("it is not made twice", async () => {
    await page.getByRole("link", { name: "New key" }).click();
    await page.getByLabel("Path of the new key").fill("users/ada/profile");
    await text.fill("1");
    await page.getByRole("button", { name: "Save" }).click();
    await see(conflict, "Somebody stored another version");
    await page.getByRole("button", { name: "Keep the stored one" }).click();
    await see(value, "12345678901234567890");
    assert.equal(await stored(1, ADA), TYPED);
  });

  await step("it is edited", async () => {
    await page.getByRole("button", { name: "Edit" }).click();
    await text.fill('{"name":"Ada","age":36}');
    await page.getByRole("button", { name: "Save" }).click();
    await see(message, "Saved as version");
    assert.equal(await stored(1, ADA), '{"name":"Ada","age":36}');
  });

  await step("a change made elsewhere is seen", async () => {
    await until(async () => (await stored(2, ADA)) === '{"name":"Ada","age":36}', "node 2 has it");
    await api(2, "PUT", ADA, '{"name":"Ada","age":37}');
    await see(value, '"age": 37');
    await see(message, "Changed elsewhere just now.");
    await api(3, "PUT", "/kv/users/grace", '"new"');
    await tree.getByRole("treeitem", { name: "grace" }).waitFor();
  });

  await step("the tree is walked with arrows", async () => {
    await tree.getByRole("treeitem", { name: "users/" }).focus();
    await page.keyboard.press("ArrowDown"); // ada/, which is open
    await page.keyboard.press("ArrowLeft");
    await tree.getByRole("treeitem", { name: "ada/", expanded: false }).waitFor();
    await page.keyboard.press("ArrowRight");
    await tree.getByRole("treeitem", { name: "ada/", expanded: true }).waitFor();
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await page.locator("h2.path").filter({ hasText: "users/grace" }).waitFor();
    await see(value, '"new"');
  });

  await step("keys are found by how they begin", async () => {
    await page.keyboard.press("/");
    await page.keyboard.type("users/ad");
    await page.getByRole("link", { name: "users/ada/profile" }).click();
    await page.locator("h2.path").filter({ hasText: "users/ada/profile" }).waitFor();
    await page.getByLabel("Keys that begin with").fill("users/zzz");
    await see(page.locator(".results .note"), "No key begins so.");
    await page.getByLabel("Keys that begin with").fill("");
  });

  await step("an edit that meets another shows both, and the person decides", async () => {
    await page.getByRole("button", { name: "Edit" }).click();
    await text.fill('{"name":"Ada","age":37,"city":"London"}');
    await api(1, "PUT", ADA, '{"name":"Ada","age":38}');
    await see(page.locator(".banner"), "Somebody stored another version while you edit.");
    await page.getByRole("button", { name: "Save" }).click();
    await see(conflict, "Somebody stored another version");
    await see(conflict.locator("td.theirs"), '"age": 38');
    await see(conflict.locator("td.mine"), '"city": "London"');
    assert.equal(await stored(1, ADA), '{"name":"Ada","age":38}', "nothing was written over");
    // Another comes while the person looks: it is shown too, and cannot be replaced unseen.
    await api(1, "PUT", ADA, '{"name":"Ada","age":39}');
    await see(conflict.locator("td.theirs"), '"age": 39');
    await page.getByRole("button", { name: "Replace it with mine" }).click();
    await see(message, "Saved as version");
    assert.equal(await stored(1, ADA), '{"name":"Ada","age":37,"city":"London"}');
  });

  await step("a delete of what was changed meanwhile deletes nothing", async () => {
    await page.getByRole("button", { name: "Delete…" }).click();
    await api(1, "PUT", ADA, '"kept"');
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await see(message, "Not deleted: it was changed meanwhile.");
    assert.equal(await stored(1, ADA), '"kept"');
    await see(value, '"kept"');
    await page.getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await see(message, "Deleted.");
    assert.equal((await api(1, "GET", ADA)).status, 404);
  });

  await step("values are shown, not run", async () => {
    const evil = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';
    await api(1, "PUT", `/kv/${encodeURIComponent(evil.replaceAll("/", "|"))}`, JSON.stringify(evil));
    await tree.getByRole("treeitem", { name: /<img/ }).click();
    await see(value, "<script>window.ran=1</script>");
    assert.equal(await page.evaluate(() => window.ran), undefined);
    assert.equal(await page.locator("img, main script").count(), 0);
  });

  await step("a member that dies is shown", async () => {
    await page.getByRole("link", { name: "Cluster", exact: true }).click();
    await ask("kill", 3);
    await page.getByRole("img", { name: /node3: failed/ }).waitFor();
    await page.locator(".members tr[data-level=bad]").filter({ hasText: "node3" }).waitFor();
    await ask("start", 3);
    await see(sentence, "All 3 members hold the same data.");
  });

  await step("the console survives the death of its node", async () => {
    await page.goto(`http://${nodes[0]}/ui/#/keys/users/grace`);
    await see(value, '"new"');
    await page.getByRole("button", { name: "Edit" }).click();
    await text.fill('"unsaved"');
    await ask("kill", 1);
    await see(page.getByRole("alert"), "This node does not answer.");
    const other = page.locator(".ways a").filter({ hasText: "node2" });
    assert.equal(await other.getAttribute("href"), `http://${nodes[1]}/ui/#/keys/users/grace`);
    await page.getByRole("button", { name: "Save" }).click();
    await see(message, "No answer came: it may be stored, or not.");
    await page.getByRole("link", { name: "Cluster", exact: true }).click();
    await see(sentence, "All 3 members hold the same data."); // as it was; the notice says that it is old
    await page.getByRole("link", { name: "Keys", exact: true }).click();
    assert.equal(await text.inputValue(), '"unsaved"');
  });

  await step("it goes on by itself when the node is back", async () => {
    await ask("start", 1);
    await see(page.getByRole("status"), "The node answers again");
    await page.getByRole("button", { name: "Save" }).click();
    await see(message, "Saved as version");
    assert.equal(await stored(1, "/kv/users/grace"), '"unsaved"');
    await page.getByRole("link", { name: "Cluster", exact: true }).click();
    await see(sentence, "All 3 members hold the same data.");
  });

  assertUntroubled(page);
}

await withBrowser(visit);
