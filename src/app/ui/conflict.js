// A write that would have lost somebody's version: both are shown, line beside line, and the person decides.
import { compareLines } from "./diff.js";
import { h } from "./dom.js";
import { faultOf, layOut } from "./json.js";
import { brief, moment } from "./words.js";

export class Conflict {
  open = false;
  theirs = null; // the version that is shown; null: the key was deleted

  #title = h("h2", { tabindex: -1 });
  #told = h("p");
  #rows = h("tbody");
  #take = h("button", {});
  #replace = h("button", { class: "main" });

  /** `decisions` has replace(), take() and goOn(). */
  constructor(decisions) {
    this.element = h(
      "section",
      { class: "conflict", hidden: true, "aria-label": "Two versions" },
      this.#title,
      this.#told,
      h(
        "div",
        { class: "both", role: "region", "aria-label": "Both versions, line by line", tabindex: 0 },
        h(
          "table",
          {},
          h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Stored now"), h("th", { scope: "col" }, "Yours"))),
          this.#rows,
        ),
      ),
      h("p", { class: "actions" }, this.#replace, this.#take, h("button", { class: "quiet", onclick: decisions.goOn }, "Go on editing mine")),
    );
    this.#replace.addEventListener("click", decisions.replace);
    this.#take.addEventListener("click", decisions.take);
  }

  /** Shows, or shows anew, what is stored beside what is meant to be. */
  show(theirs, mine) {
    this.open = true;
    this.element.hidden = false;
    this.theirs = theirs;
    if (theirs) {
      this.#title.textContent = "Somebody stored another version";
      this.#told.textContent = `Version ${brief(theirs.uuid)} of ${moment(theirs.timestamp)} is stored. Yours is not, and nothing is lost: decide which one stays.`;
    } else {
      this.#title.textContent = "Somebody deleted this key";
      this.#told.textContent = "Nothing is stored under it now. Yours is not stored either: decide whether it is to be.";
    }
    this.#replace.textContent = theirs ? "Replace it with mine" : "Store mine";
    this.#take.textContent = theirs ? "Keep the stored one" : "Leave it deleted";
    const rows = compareLines(theirs ? laid(theirs.text) : "", laid(mine));
    this.#rows.replaceChildren(...rows.map(row));
  }

  focus() {
    this.#title.focus();
  }

  close() {
    this.open = false;
    this.element.hidden = true;
  }
}

/** Both in one layout, so that only what differs is told apart. */
function laid(text) {
  return faultOf(text) === null ? layOut(text) : text;
}

function row({ left, right }) {
  const same = left === right;
  const cell = (text, sign, kind) =>
    text === null
      ? h("td", { class: "none" })
      : h("td", { class: same ? "same" : kind }, h("span", { class: "sign" }, same ? " " : sign), text);
  return h("tr", {}, cell(left, "−", "theirs"), cell(right, "+", "mine"));
}
