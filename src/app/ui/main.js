// The frame around the views: which one is shown, what the bar says, and what is said when the node is silent.
import { ClusterView } from "./cluster.js";
import { ConflictsView } from "./conflicts.js";
import { h, mark, say } from "./dom.js";
import { KeysView } from "./keys.js";
import { figures } from "./metrics.js";
import { link } from "./node.js";
import { RatesView } from "./rates.js";
import { state } from "./state.js";
import { moment, span } from "./words.js";

// A view has `element`, `title`, and show(rest), hide(): `rest` is what follows its name in the address.
const views = {
  "": { title: "Cluster", make: () => new ClusterView() },
  keys: { title: "Keys", make: () => new KeysView() },
  conflicts: { title: "Conflicts", make: () => new ConflictsView() },
  rates: { title: "Rates", make: () => new RatesView() },
};

const content = document.getElementById("content");
const here = document.getElementById("here");
const notice = document.getElementById("notice");
let shown = null;

function addressed() {
  const [, name, rest] = /^#\/([a-z]*)\/?(.*)$/.exec(location.hash) ?? [null, "", ""];
  return { name: views[name] ? name : "", rest: views[name] ? rest : "" };
}

function show() {
  if (location.hash !== "" && !location.hash.startsWith("#/")) {
    return; // a place on this page
  }
  const { name, rest } = addressed();
  const entry = views[name];
  entry.view ??= entry.make();
  if (shown !== entry) {
    shown?.view.hide();
    content.replaceChildren(entry.view.element);
    shown = entry;
  }
  entry.view.show(rest);
  for (const [key, { tab }] of Object.entries(views)) {
    mark(tab, "aria-current", key === name ? "page" : null);
  }
  title();
}

function title() {
  document.title = [shown?.title, state.health?.node_id, "KVS"].filter(Boolean).join(" · ");
}

function tellHere() {
  if (state.health) {
    const others = state.members.filter((member) => member !== state.self && member.state !== "alive").length;
    const level = !link.up ? "bad" : state.health.status !== "ok" ? "bad" : others ? "warn" : "good";
    mark(here, "data-level", level);
    say(here.firstChild, state.health.node_id);
    say(here.lastChild, link.up ? stateWords() : "silent");
  }
  title();
}

function stateWords() {
  if (state.health.status !== "ok") {
    return "degraded";
  }
  return state.health.mode === "normal" ? "serving" : state.health.mode;
}

// The sentence is spoken once; the seconds beside it go on in silence.
const silence = h("span", { class: "since" });
let ticking = 0;

function tellSilence() {
  say(silence, `Silent for ${span(Date.now() - link.heard)}.`);
}

function tellLink() {
  clearInterval(ticking);
  mark(document.body, "data-silent", !link.up);
  if (link.up) {
    if (notice.firstChild) {
      notice.replaceChildren(h("p", { role: "status", class: "back" }, "The node answers again: what you see is live."));
      setTimeout(() => link.up && notice.replaceChildren(), 5000);
    }
  } else {
    ticking = setInterval(tellSilence, 1000);
    tellSilence();
    const others = state.elsewhere.map((member) =>
      h("a", { href: `http://${member.address}/ui/${location.hash}`, rel: "noreferrer" }, member.id),
    );
    notice.replaceChildren(
      h(
        "div",
        { class: "silent" },
        h(
          "p",
          { role: "alert" },
          h("strong", {}, "This node does not answer. "),
          `What you see is old, as of ${moment(link.heard)}. The page keeps asking, and goes on by itself when the node is back.`,
        ),
        h("p", { class: "ways" }, silence, h("button", { onclick: () => state.askNow() }, "Ask now"), others.length ? ["Other members: ", others] : null),
      ),
    );
  }
  tellHere();
}

here.append(h("span", { class: "name" }), h("span", { class: "state" }));
for (const [key, entry] of Object.entries(views)) {
  entry.tab = h("a", { href: `#/${key}` }, entry.title);
  document.getElementById("views").append(entry.tab);
}
addEventListener("hashchange", show);
link.addEventListener("change", tellLink);
state.addEventListener("change", tellHere);
state.start();
figures.start();
show();
