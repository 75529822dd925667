// Rates and latencies of this node over the last five minutes, from its /metrics.
import { h } from "./dom.js";
import { figures } from "./metrics.js";
import { Plot } from "./plot.js";
import { state } from "./state.js";
import { bytes, seconds, short } from "./words.js";

const REQUESTS = "kvs_http_requests_total";
const DURATION = "kvs_http_request_duration_seconds";

const perSecond = (value) => `${short(value)}/s`;

/** Each has a plot and the lines that it shows. */
const PLOTS = [
  {
    plot: { title: "Requests", note: "answered, a second", tell: perSecond },
    lines: () => [
      { name: "reads", points: figures.rate(REQUESTS, { route: "get" }) },
      { name: "writes", points: figures.rate(REQUESTS, { route: "write" }) },
      { name: "listings", points: figures.rate(REQUESTS, { route: "list" }) },
      { name: "from peers", points: figures.rate(REQUESTS, { route: "peer" }) },
    ],
  },
  {
    plot: { title: "Latency of writes", note: "from arrival to durable", tell: seconds },
    lines: () => [
      { name: "half below", points: figures.quantile(0.5, "kvs_write_duration_seconds") },
      { name: "99 % below", points: figures.quantile(0.99, "kvs_write_duration_seconds") },
    ],
  },
  {
    plot: { title: "Latency of reads", note: "from request to answer", tell: seconds },
    lines: () => [
      { name: "half below", points: figures.quantile(0.5, DURATION, { route: "get" }) },
      { name: "99 % below", points: figures.quantile(0.99, DURATION, { route: "get" }) },
    ],
  },
  {
    plot: { title: "Behind this node", note: "writes that a member lacks", tell: short },
    lines: () =>
      state.members
        .filter((member) => member !== state.self)
        .slice(0, 6)
        .map((member) => ({ name: member.id, points: figures.gauge("kvs_peer_writes_behind", { peer: member.id }) })),
  },
  {
    plot: { title: "Round trip", note: "of pings to members", tell: seconds },
    lines: () =>
      state.members
        .filter((member) => member !== state.self)
        .slice(0, 6)
        .map((member) => ({
          name: member.id,
          points: figures.gauge("kvs_peer_round_trip_seconds", { peer: member.id }).map(([at, value]) => [at, value || Number.NaN]),
        })),
  },
  {
    plot: { title: "Replication", note: "records, a second", tell: perSecond },
    lines: () => [
      { name: "pushed", points: figures.rate("kvs_push_records_total") },
      { name: "taken from peers", points: figures.rate("kvs_records_offered_total", { outcome: "stored" }) },
      { name: "in exchanges", points: figures.rate("kvs_exchange_records_total") },
    ],
  },
  {
    plot: { title: "Commits", note: "to the disk, and writes in each", tell: short },
    lines: () => [
      { name: "a second", points: figures.rate("kvs_store_commits_total") },
      { name: "writes in one", points: figures.mean("kvs_batch_writes") },
    ],
  },
  {
    plot: { title: "Memory", note: "of the process", tell: bytes, unit: 2 ** 20 },
    lines: () => [
      { name: "resident", points: figures.gauge("kvs_resident_memory_bytes") },
      { name: "caches", points: figures.gauge("kvs_store_memory_bytes") },
    ],
  },
];

export class RatesView {
  title = "Rates";

  #plots = PLOTS.map(({ plot, lines }) => ({ plot: new Plot(plot), lines }));
  #shown = false;

  constructor() {
    this.element = h(
      "div",
      { class: "rates" },
      h("header", { class: "head" }, h("h1", {}, "Rates and latencies"), h("p", { class: "under" }, "Of this node, since this page was opened, for five minutes at most.")),
      h("div", { class: "plots" }, this.#plots.map(({ plot }) => plot.element)),
    );
    figures.addEventListener("change", () => this.#draw());
  }

  show() {
    this.#shown = true;
    this.#draw();
  }

  hide() {
    this.#shown = false;
  }

  #draw() {
    if (this.#shown) {
      const now = figures.latest?.at ?? Date.now();
      this.#plots.forEach(({ plot, lines }) => plot.show(lines(), now));
    }
  }
}
