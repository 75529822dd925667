// The node's figures: /metrics read every two seconds, the last five minutes of it kept.
import { readText } from "./node.js";
import { Poll } from "./poll.js";

const INTERVAL_MS = 2000;
const KEPT = 150;

const LINE = /^([a-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/i;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** One reading of /metrics (Prometheus's text format). */
export class Reading {
  constructor(text, at) {
    this.at = at;
    this.families = new Map();
    for (const line of text.split("\n")) {
      const found = line.startsWith("#") ? null : LINE.exec(line);
      if (found) {
        const labels = {};
        for (const [, name, value] of (found[2] ?? "").matchAll(LABEL)) {
          labels[name] = value.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
        }
        this.families.get(found[1])?.push({ labels, value: Number(found[3]) }) ??
          this.families.set(found[1], [{ labels, value: Number(found[3]) }]);
      }
    }
  }

  /** All samples of a name that have these labels. */
  all(name, labels = {}) {
    const wanted = Object.entries(labels);
    return (this.families.get(name) ?? []).filter((sample) => wanted.every(([key, value]) => sample.labels[key] === value));
  }

  /** The first of them; undefined if there is none. */
  value(name, labels) {
    return this.all(name, labels)[0]?.value;
  }

  sum(name, labels) {
    return this.all(name, labels).reduce((total, sample) => total + sample.value, 0);
  }
}

class Figures extends EventTarget {
  readings = []; // the oldest first

  #poll = new Poll(() => this.#ask(), INTERVAL_MS);

  start() {
    this.#poll.start();
  }

  get latest() {
    return this.readings.at(-1) ?? null;
  }

  async #ask() {
    const reading = new Reading(await readText("/metrics"), Date.now());
    const uptime = "kvs_uptime_seconds";
    if (this.latest && reading.value(uptime) < this.latest.value(uptime)) {
      this.readings = []; // the node was started anew, and counts from 0
    }
    this.readings.push(reading);
    this.readings.splice(0, this.readings.length - KEPT);
    this.dispatchEvent(new Event("change"));
  }

  /** [time, change a second] of a counter between each reading and the one before it. */
  rate(name, labels) {
    return this.#between((from, to) => (to.sum(name, labels) - from.sum(name, labels)) / ((to.at - from.at) / 1000));
  }

  /** [time, value] of a gauge; what is absent is left out. */
  gauge(name, labels) {
    return this.readings.map((reading) => [reading.at, reading.value(name, labels) ?? Number.NaN]);
  }

  /** [time, quantile] of a histogram, of what was counted in the ten seconds before; nothing where nothing was. */
  quantile(q, name, labels) {
    return this.#between((from, to) => quantileBetween(q, from.all(`${name}_bucket`, labels), to.all(`${name}_bucket`, labels)), 5);
  }

  /** [time, mean] of a histogram in the same way. */
  mean(name, labels) {
    return this.#between((from, to) => {
      const counted = to.sum(`${name}_count`, labels) - from.sum(`${name}_count`, labels);
      return counted > 0 ? (to.sum(`${name}_sum`, labels) - from.sum(`${name}_sum`, labels)) / counted : Number.NaN;
    }, 5);
  }

  #between(figure, readings = 1) {
    return this.readings.slice(1).map((to, i) => [to.at, figure(this.readings[Math.max(0, i + 1 - readings)], to)]);
  }
}

/** By linear interpolation in the bucket, as Prometheus does. */
function quantileBetween(q, from, to) {
  const counts = to.map((bucket, i) => bucket.value - (from[i]?.value ?? 0));
  const wanted = q * (counts.at(-1) ?? 0);
  if (!(wanted > 0)) {
    return Number.NaN;
  }
  const at = counts.findIndex((counted) => counted >= wanted);
  const upper = Number(to[at].labels.le.replace("+Inf", "Infinity"));
  const lower = at > 0 ? Number(to[at - 1].labels.le) : 0;
  const below = at > 0 ? counts[at - 1] : 0;
  return Number.isFinite(upper) ? lower + ((upper - lower) * (wanted - below)) / (counts[at] - below) : lower;
}

export const figures = new Figures();
