// The picture of the cluster: this node in the middle, a line to each other member that says how far it is behind.
import { svg } from "./dom.js";
import { figures } from "./metrics.js";
import { standing, state } from "./state.js";
import { count, seconds } from "./words.js";

/** More would be a knot; the table has them all. */
const SHOWN_MAX = 24;
/** More lines would have no room for a word each. */
const TAGGED_MAX = 8;
const NARROW = 540;
const BOX = { width: 128, height: 46 };

const RANK = { bad: 0, warn: 1, none: 2, flow: 3, good: 4 };

/** An SVG of that width. */
export function drawPicture(members, width) {
  const others = members
    .filter((member) => member !== state.self)
    .map((member) => ({ member, ...standing(member) }))
    .sort((a, b) => RANK[a.level] - RANK[b.level] || compare(a.member.id, b.member.id));
  const shown = others.slice(0, SHOWN_MAX).sort((a, b) => compare(a.member.id, b.member.id));
  const places = width < NARROW ? column(shown, width) : ellipse(shown, width);
  const label = [`This node, ${state.health.node_id}`, ...shown.map((it) => `${it.member.id}: ${it.words}`)].join("; ");
  return svg(
    "svg",
    { viewBox: `0 0 ${width} ${places.height}`, width, height: places.height, role: "img", "aria-label": label },
    shown.map((it, i) => line(places.self, places.others[i], it)),
    places.narrow || shown.length > TAGGED_MAX ? null : shown.map((it, i) => tag(places.self, places.others[i], it.member)),
    shown.map((it, i) => box(places.others[i], it.member.id, it.words, it.level)),
    box(places.self, state.health.node_id, "this node", "self"),
    others.length > shown.length
      ? svg("text", { class: "more", x: width / 2, y: places.height - 6 }, `${others.length - shown.length} more in the table`)
      : null,
  );
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function ellipse(shown, width) {
  const crowded = shown.length > 8;
  const height = crowded ? 460 : shown.length > 2 ? 330 : 150;
  const center = { x: width / 2, y: height / 2 };
  const radius = { x: width / 2 - BOX.width / 2 - 6, y: height / 2 - BOX.height / 2 - 6 };
  const first = shown.length === 2 ? Math.PI : -Math.PI / 2;
  return {
    height,
    self: center,
    others: shown.map((_, i) => {
      const angle = first + (2 * Math.PI * i) / shown.length;
      return { x: center.x + radius.x * Math.cos(angle), y: center.y + radius.y * Math.sin(angle) };
    }),
  };
}

/** For a phone: this node above, the others in a column below. */
function column(shown, width) {
  const left = BOX.width / 2 + 4;
  return {
    height: 60 + shown.length * 62,
    self: { x: left, y: 28 },
    others: shown.map((_, i) => ({ x: width - left, y: 90 + i * 62 })),
    narrow: true,
  };
}

/** What goes over a line: how many writes are owed, or else how long a ping takes. */
function tag(from, to, member) {
  const owed = member.convergence?.writes_owed ?? 0;
  const trip = figures.latest?.value("kvs_peer_round_trip_seconds", { peer: member.id });
  const words = owed > 0 ? `${count(owed, "write")} owed` : member.state === "alive" && trip ? seconds(trip) : "";
  return svg("text", { class: "tag", x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 + 4 }, words);
}

function line(from, to, { member, level }) {
  const owed = member.convergence?.writes_owed ?? 0;
  const straight = from.y >= to.y || from.x >= to.x || from.y > BOX.height;
  const path = straight ? `M${from.x} ${from.y}L${to.x} ${to.y}` : `M${from.x - 30} ${from.y}V${to.y}H${to.x}`;
  return svg("path", { class: `wire ${level}${owed > 0 && level !== "bad" ? " flowing" : ""}`, d: path });
}

function box(at, name, words, level) {
  return svg(
    "g",
    { class: `box ${level}`, transform: `translate(${at.x - BOX.width / 2} ${at.y - BOX.height / 2})` },
    svg("title", {}, `${name}: ${words}`),
    svg("rect", { width: BOX.width, height: BOX.height, rx: 6 }),
    glyph(level),
    svg("text", { class: "name", x: 28, y: 20 }, fit(name, 15)),
    svg("text", { class: "words", x: 12, y: 37 }, fit(words, 19)),
  );
}

function fit(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

/** The state by form too, not by colour alone. */
function glyph(level) {
  const at = { class: "glyph", transform: "translate(16 15)" };
  switch (level) {
    case "bad":
      return svg("path", { ...at, d: "M-4-4 4 4M4-4-4 4" });
    case "warn":
      return svg("path", { ...at, d: "M0-5 5 4H-5Z" });
    case "none":
      return svg("circle", { ...at, r: 4, "stroke-dasharray": "2 2" });
    case "flow":
      return svg("path", { ...at, d: "M-4-4 0 0-4 4M1-4 5 0 1 4" });
    case "self":
      return svg("rect", { ...at, x: -4, y: -4, width: 8, height: 8, rx: 1.5 });
    default:
      return svg("circle", { ...at, r: 4 });
  }
}
