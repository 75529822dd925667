// The browser of keys: the tree or what a search found on one side, the value on the other.
import { h, mark } from "./dom.js";
import { Editor } from "./editor.js";
import { Poll } from "./poll.js";
import { Search } from "./search.js";
import { Tree, addressOf } from "./tree.js";

const INTERVAL_MS = 2000;
const NEW = "?new";

export class KeysView {
  title = "Keys";

  #tree = new Tree((path) => {
    location.hash = addressOf(path);
  });
  #search = new Search((active) => {
    this.#tree.element.hidden = active;
  });
  #editor = new Editor((path) => this.#stored(path));
  #poll = new Poll(() => this.#tree.look(), INTERVAL_MS);

  constructor() {
    this.element = h(
      "div",
      { class: "keys" },
      h("h1", { class: "unseen" }, "Keys"),
      h(
        "section",
        { class: "panel side", "aria-label": "All keys" },
        h("div", { class: "tools" }, this.#search.form, h("a", { class: "button", href: `#/keys/${NEW}` }, "New key")),
        this.#tree.element,
        this.#search.results,
      ),
      this.#editor.element,
    );
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "/" && !/^(input|textarea)$/i.test(event.target.tagName)) {
        event.preventDefault();
        this.#search.focus();
      }
    });
  }

  async show(rest) {
    this.#poll.start();
    const path = rest.startsWith(NEW) ? null : decoded(rest);
    const begun = rest.startsWith(NEW);
    mark(this.element, "data-open", begun || (path !== "" && !path.endsWith("/")));
    if (begun) {
      this.#tree.select(null);
      this.#editor.begin(decoded(rest.slice(NEW.length + 1)));
    } else if (path === "" || path.endsWith("/")) {
      this.#tree.select(null);
      this.#editor.close();
      await this.#tree.reveal(path).catch(() => {});
    } else {
      this.#editor.open(path);
      this.#tree.select(this.#editor.path);
      await this.#tree.reveal(path).catch(() => {});
    }
  }

  hide() {
    this.#poll.stop();
    this.#editor.rest();
  }

  /** A key was stored or deleted here. */
  #stored(path) {
    this.#poll.now();
    if (location.hash !== addressOf(path)) {
      location.hash = addressOf(path);
    }
  }
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
