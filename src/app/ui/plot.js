// A small plot of lines over the last five minutes, or as much as there is, in SVG, drawn for the width that it has.
import { h, onWidth, say, svg } from "./dom.js";
import { span } from "./words.js";

const HEIGHT = 120;
const LEFT = 52;
const BOTTOM = 18;
const TOP = 8;
const WINDOW_MS = 300_000;
const WINDOW_MS_MIN = 60_000;
const STEPS = [1, 2, 2.5, 5, 10];

/** The smallest round number that is not below `value`. */
function roundUp(value) {
  if (!(value > 0)) {
    return 1;
  }
  const unit = 10 ** Math.floor(Math.log10(value));
  return unit * STEPS.find((step) => step * unit >= value * 0.9999);
}

export class Plot {
  #title;
  #tell;
  #unit;
  #drawing = h("div", { class: "drawing" });
  #legend = h("ul", { class: "legend" });
  #series = [];
  #now = 0;
  #values = [];

  /** `tell(value)` makes words of a figure, round ones of multiples of `unit`. `note` says what is meant. */
  constructor({ title, tell, note, unit = 1 }) {
    this.#title = title;
    this.#tell = tell;
    this.#unit = unit;
    this.element = h("figure", { class: "plot" }, h("figcaption", {}, h("strong", {}, title), h("span", {}, note)), this.#legend, this.#drawing);
    onWidth(this.#drawing, () => this.#draw());
  }

  /** `series`: { name, points: [[time in ms, value]] }, values that are no numbers left out of the line. */
  show(series, now) {
    this.#series = series;
    this.#now = now;
    if (this.#values.length !== series.length || this.#values.some((it, i) => it.name !== series[i].name)) {
      this.#values = series.map(({ name }) => ({ name, element: h("b") }));
      this.#legend.replaceChildren(
        ...this.#values.map(({ name, element }, i) => h("li", { class: `s${i % 6}` }, sample(), h("span", {}, name), element)),
      );
    }
    series.forEach((it, i) => say(this.#values[i].element, this.#last(it)));
    this.#draw();
  }

  #last({ points }) {
    const value = points.at(-1)?.[1];
    return Number.isFinite(value) ? this.#tell(value) : "–";
  }

  #draw() {
    const width = Math.floor(this.#drawing.clientWidth);
    if (width < 80) {
      return;
    }
    const begun = Math.min(this.#now, ...this.#series.map(({ points }) => points[0]?.[0] ?? this.#now));
    const shown = Math.min(WINDOW_MS, Math.max(WINDOW_MS_MIN, this.#now - begun));
    const since = this.#now - shown;
    const all = this.#series.flatMap(({ points }) => points.filter(([at, value]) => at >= since && Number.isFinite(value)).map(([, value]) => value));
    const top = this.#unit * roundUp(Math.max(0, ...all) / this.#unit);
    const x = (at) => LEFT + ((at - since) / shown) * (width - LEFT - 2);
    const y = (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
    const grid = [0, top / 2, top].map((value) => [
      svg("path", { class: "grid", d: `M${LEFT} ${y(value)}H${width}` }),
      svg("text", { class: "axis", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value === 0 ? "0" : this.#tell(value)),
    ]);
    const words = `${this.#title}: ${this.#series.map((it) => `${it.name} ${this.#last(it)}`).join(", ") || "nothing yet"}`;
    this.#drawing.replaceChildren(
      svg(
        "svg",
        { viewBox: `0 0 ${width} ${HEIGHT}`, width, height: HEIGHT, role: "img", "aria-label": words },
        grid,
        svg("text", { class: "axis", x: LEFT, y: HEIGHT - 3 }, `${span(shown)} ago`),
        svg("text", { class: "axis", x: width - 1, y: HEIGHT - 3, "text-anchor": "end" }, "now"),
        this.#series.map(({ points }, i) =>
          svg("path", { class: `line s${i % 6}`, d: lineOf(points.filter(([at]) => at >= since), x, y) }),
        ),
      ),
    );
  }
}

function sample() {
  return svg("svg", { viewBox: "0 0 18 8", width: 18, height: 8, "aria-hidden": "true" }, svg("path", { d: "M0 4H18" }));
}

function lineOf(points, x, y) {
  let path = "";
  let pen = false;
  for (const [at, value] of points) {
    if (Number.isFinite(value)) {
      path += `${pen ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    }
    pen = Number.isFinite(value);
  }
  return path;
}
