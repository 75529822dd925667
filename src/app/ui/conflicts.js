// Conflicts of late: the verdicts that settled ties, and live records that exchanges dropped.
import { arrange, h, say } from "./dom.js";
import { read } from "./node.js";
import { Poll } from "./poll.js";
import { addressOf } from "./tree.js";
import { brief, count, moment } from "./words.js";

const INTERVAL_MS = 3000;
const LOST_MAX = 100;

const RULES = {
  majority: "most votes",
  oldest: "equal votes; the oldest member decides",
  found: "decided elsewhere; taken over",
};

export class ConflictsView {
  title = "Conflicts";

  #verdictsTold = h("p", { class: "note" });
  #verdicts = h("tbody");
  #lostTold = h("p", { class: "note" });
  #lost = h("tbody");
  #told = "";
  #poll = new Poll(() => this.#look(), INTERVAL_MS);

  constructor() {
    this.element = h(
      "div",
      { class: "conflicts" },
      h("header", { class: "head" }, h("h1", {}, "Conflicts"), h("p", { class: "under" }, "Where two writes met that could not both stay, and what became of them.")),
      h(
        "section",
        { class: "panel", "aria-labelledby": "verdicts" },
        h("h2", { id: "verdicts" }, "Verdicts of late"),
        h("p", { class: "note" }, "Two nodes wrote a key in the same instant: the members vote. Shown is what this node settled since its start, the last hundred; others show theirs."),
        table(["Key", "Settled", "By", "Stays", "Went"], this.#verdicts),
        this.#verdictsTold,
      ),
      h(
        "section",
        { class: "panel", "aria-labelledby": "lost" },
        h("h2", { id: "lost" }, "Dropped in exchanges"),
        h("p", { class: "note" }, "Live records that this node dropped because they were replaced or deleted elsewhere, kept for 30 days."),
        table(["Key", "Dropped", "Written", "Value"], this.#lost),
        this.#lostTold,
      ),
    );
  }

  show() {
    this.#poll.start();
  }

  hide() {
    this.#poll.stop();
  }

  async #look() {
    const told = await Promise.all([read("/cluster/verdicts"), read(`/cluster/lost?limit=${LOST_MAX}`)]);
    if (this.#told !== JSON.stringify(told)) {
      this.#told = JSON.stringify(told); // only what is new is drawn: whoever reads or tabs through it is not disturbed
      this.#draw(...told);
    }
  }

  #draw({ verdicts }, { lost, next }) {
    arrange(this.#verdicts, verdicts.map(verdictRow));
    say(this.#verdictsTold, verdicts.length === 0 ? "No conflict so far." : count(verdicts.length, "verdict"));
    arrange(this.#lost, lost.map(lostRow));
    say(this.#lostTold, lost.length === 0 ? "Nothing was dropped." : `${count(lost.length, "record")}${next ? ", and more" : ""}`);
  }
}

function table(columns, body) {
  return h("table", { class: "log" }, h("thead", {}, h("tr", {}, columns.map((name) => h("th", { scope: "col" }, name)))), body);
}

function keyCell(path) {
  return h("th", { scope: "row" }, h("a", { href: addressOf(path) }, path));
}

function cell(name, ...content) {
  return h("td", { "data-name": name }, content);
}

function version({ uuid, votes }) {
  return h("span", { class: "version", title: uuid }, brief(uuid), h("small", {}, ` ${count(votes, "vote")}`));
}

function verdictRow(verdict) {
  const stays = verdict.versions.filter((it) => it.uuid === verdict.winner);
  const went = verdict.versions.filter((it) => it.uuid !== verdict.winner);
  return h(
    "tr",
    {},
    keyCell(verdict.path),
    cell("Settled", moment(verdict.settled_timestamp)),
    cell("By", RULES[verdict.rule] ?? verdict.rule),
    cell("Stays", stays.length ? stays.map(version) : brief(verdict.winner)),
    cell("Went", went.map(version)),
  );
}

function lostRow(record) {
  const text = JSON.stringify(record.data);
  return h(
    "tr",
    {},
    keyCell(record.path),
    cell("Dropped", moment(record.lost_timestamp)),
    cell("Written", moment(record.timestamp)),
    cell("Value", h("code", {}, text.length > 80 ? `${text.slice(0, 79)}…` : text)),
  );
}
