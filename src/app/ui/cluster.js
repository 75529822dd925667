// The cluster as this node sees it: in a sentence, as a picture, and member by member.
import { arrange, h, mark, onWidth, say } from "./dom.js";
import { figures } from "./metrics.js";
import { drawPicture } from "./picture.js";
import { standing, state, worst } from "./state.js";
import { ago, bytes, count, number, seconds, span } from "./words.js";

const COLUMNS = ["Member", "State", "Mode", "Behind", "Owed", "Heard of", "Round trip", "Clock"];

export class ClusterView {
  title = "Cluster";

  #sentence = h("h1", { class: "sentence" });
  #under = h("p", { class: "under" });
  #warnings = h("ul", { class: "warnings" });
  #picture = h("div", { class: "picture" });
  #facts = h("dl", { class: "facts" });
  #body = h("tbody");
  #rows = new Map();
  #values = new Map();

  constructor() {
    this.element = h(
      "div",
      { class: "cluster" },
      h("header", { class: "head", "aria-live": "polite" }, this.#sentence, this.#under, this.#warnings),
      h(
        "div",
        { class: "halves" },
        h("section", { class: "panel", "aria-label": "Picture of the cluster" }, this.#picture),
        h("section", { class: "panel", "aria-labelledby": "this-node" }, h("h2", { id: "this-node" }, "This node"), this.#facts),
      ),
      h(
        "section",
        { class: "panel", "aria-labelledby": "all-members" },
        h("h2", { id: "all-members" }, "Members"),
        h(
          "table",
          { class: "members" },
          h("thead", {}, h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col" }, name)))),
          this.#body,
        ),
        h(
          "p",
          { class: "note" },
          "Behind: writes that this node has seen and the member has not, at most. ",
          "Owed: writes sent or to be sent to it that it has not confirmed. Clock: how far its clock is ahead of this node's.",
        ),
      ),
    );
    state.addEventListener("change", () => this.#tell());
    figures.addEventListener("change", () => this.#tellFigures());
    onWidth(this.#picture, () => this.#draw());
    say(this.#sentence, "Asking the node…");
  }

  show() {
    this.#tell();
    this.#tellFigures();
  }

  hide() {}

  #tell() {
    if (!state.convergence) {
      return;
    }
    mark(this.#sentence, "data-level", worst(state.members.map((member) => standing(member).level)));
    say(this.#sentence, sentence(state.convergence));
    say(this.#under, `As ${state.health.node_id} sees it: ${census(state.members)}.`);
    const warnings = [state.health.reason, ...(state.health.warnings ?? [])].filter(Boolean);
    arrange(
      this.#warnings,
      warnings.map((text) => h("li", {}, text)),
    );
    arrange(
      this.#body,
      state.members.map((member) => this.#row(member)),
    );
    this.#draw();
    this.#tellFigures();
  }

  #draw() {
    const width = Math.floor(this.#picture.clientWidth);
    if (width > 0 && state.members.length > 0) {
      this.#picture.replaceChildren(drawPicture(state.members, width));
    }
  }

  #row(member) {
    let row = this.#rows.get(member.id);
    if (!row) {
      const cells = COLUMNS.slice(1).map((name) => h("td", { "data-name": name }));
      const link = h("a", { href: `http://${member.address}/ui/` });
      row = { link, cells, element: h("tr", {}, h("th", { scope: "row" }, link, h("small", {})), cells) };
      this.#rows.set(member.id, row);
    }
    const at = standing(member);
    const lag = member.convergence;
    const peer = (name) => figures.latest?.value(name, { peer: member.id });
    const itself = member === state.self;
    const clock = peer("kvs_peer_clock_ahead_seconds");
    say(row.link, member.id);
    mark(row.link, "href", itself ? "#/" : `http://${member.address}/ui/`);
    say(row.element.querySelector("small"), member.address);
    mark(row.element, "data-level", at.level);
    const texts = [
      itself ? "this node" : member.state === "alive" ? at.words : member.state,
      member.mode,
      itself ? "" : lag?.writes_behind == null ? "not known" : number(lag.writes_behind),
      itself ? "" : number(lag?.writes_owed ?? 0),
      itself ? "" : lag?.as_of_ms == null ? "never" : ago(lag.as_of_ms),
      itself ? "" : seconds((member.state === "alive" && peer("kvs_peer_round_trip_seconds")) || Number.NaN),
      itself ? "" : clockWords(clock),
    ];
    row.cells.forEach((cell, i) => say(cell, texts[i]));
    return row.element;
  }

  #tellFigures() {
    if (!state.health) {
      return;
    }
    const value = (name, labels) => figures.latest?.value(name, labels) ?? Number.NaN;
    const facts = {
      Address: state.self?.address ?? "–",
      Mode: state.health.mode,
      Version: state.health.version,
      "Up for": span(state.health.uptime_ms),
      Records: number(value("kvs_fingerprinted_records")),
      "On disk": bytes(value("kvs_store_disk_bytes")),
      Memory: bytes(value("kvs_resident_memory_bytes")),
      "Conflicts settled": number(figures.latest?.sum("kvs_ballots_settled_total") ?? 0),
      "Open ties": number(value("kvs_ties_open")),
    };
    for (const [name, text] of Object.entries(facts)) {
      if (!this.#values.has(name)) {
        this.#values.set(name, h("dd"));
        this.#facts.append(h("div", {}, h("dt", {}, name), this.#values.get(name)));
      }
      say(this.#values.get(name), text);
    }
  }
}

/** "3 members, all alive", or how many are not. */
function census(members) {
  const others = ["suspect", "failed"].map((name) => [members.filter((member) => member.state === name).length, name]).filter(([n]) => n > 0);
  return `${count(members.length, "member")}, ${others.length === 0 ? "all alive" : others.map(([n, name]) => `${n} ${name}`).join(", ")}`;
}

/** How far a clock is ahead; the clocks of one machine, or well-kept ones, are together. */
function clockWords(ahead) {
  if (ahead === undefined) {
    return "–";
  }
  return Math.abs(ahead) < 1e-3 ? "together" : `${ahead < 0 ? "−" : "+"}${seconds(Math.abs(ahead))}`;
}

/** The node's summary, without its milliseconds, which would change at each look. */
function sentence(convergence) {
  const summary = convergence.summary.replace(/ as of \d+ ms ago$/, "");
  // It begins with a word, or with the name of a node, which stays as it is.
  return `${summary.replace(/^(all|this|nothing)\b/, (word) => word[0].toUpperCase() + word.slice(1))}.`;
}
