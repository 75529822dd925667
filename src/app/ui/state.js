// What the node tells of itself and of the cluster, asked for every second and a half, whichever view is shown.
import { read } from "./node.js";
import { Poll } from "./poll.js";
import { number } from "./words.js";

const INTERVAL_MS = 1500;

class State extends EventTarget {
  health = null;
  members = []; // of /members/?all=true, each with `convergence`, its row there, or null
  convergence = null;
  asOf = 0;

  #poll = new Poll(() => this.#ask(), INTERVAL_MS);

  start() {
    this.#poll.start();
  }

  askNow() {
    this.#poll.now();
  }

  /** This node's own row. */
  get self() {
    return this.members.find((member) => member.id === this.health?.node_id) ?? null;
  }

  /** The consoles to turn to when this node is silent: of the members that lived when it was last heard. */
  get elsewhere() {
    return this.members.filter((member) => member !== this.self && member.state === "alive");
  }

  async #ask() {
    const [health, members, convergence] = await Promise.all([
      read("/health"),
      read("/members/?all=true"),
      read("/cluster/convergence"),
    ]);
    const rows = new Map(convergence.members.map((row) => [row.id, row]));
    this.health = health;
    this.members = members.map((member) => ({ ...member, convergence: rows.get(member.id) ?? null }));
    this.convergence = convergence;
    this.asOf = Date.now();
    this.dispatchEvent(new Event("change"));
  }
}

export const state = new State();

/** How a member stands to this node: a word for styling, and words to read. */
export function standing(member) {
  const row = member.convergence;
  if (member === state.self) {
    return { level: "self", words: "this node" };
  }
  if (member.state === "failed") {
    return { level: "bad", words: "failed" };
  }
  const lag = lagOf(row);
  return member.state === "suspect" ? { level: "warn", words: `does not answer; ${lag.words}` } : lag;
}

/** While writes flow, members are always some behind one another: that is no trouble until it is many, or silence. */
const BEHIND_MANY = 100;
const SILENT_MS = 5000;

function lagOf(row) {
  if (!row || row.writes_behind === null) {
    return { level: "none", words: "not known yet" };
  }
  const level = row.writes_behind > BEHIND_MANY || row.as_of_ms > SILENT_MS ? "warn" : "flow";
  if (row.writes_behind > 0) {
    return { level, words: `${number(row.writes_behind)} ${row.writes_behind === 1 ? "write" : "writes"} behind` };
  }
  if (row.fingerprints_agree === null) {
    return { level: "none", words: "same writes, still counted" };
  }
  return row.fingerprints_agree ? { level: "good", words: "same data" } : { level, words: "differs just now" };
}

const RANK = { good: 0, self: 0, none: 1, flow: 1, warn: 2, bad: 3 };

/** The worst of all. */
export function worst(levels) {
  return levels.reduce((a, b) => (RANK[b] > RANK[a] ? b : a), "good");
}
