// Keys that begin with what was typed, whichever folders they lie in.
import { arrange, h, say } from "./dom.js";
import { cursorBefore, list } from "./node.js";
import { addressOf } from "./tree.js";
import { count } from "./words.js";

const PAGE = 100;

export class Search {
  #input = h("input", { type: "search", id: "prefix", placeholder: "users/jo", autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  #told = h("p", { class: "note", role: "status" });
  #found = h("ul", { class: "found" });
  #more = h("button", { type: "button", onclick: () => this.#page() }, "Show more");
  #next = "";
  #asked = 0;
  #keys = [];
  #changed;

  /** `changed(active)` is called when there is something to search for, or no more. */
  constructor(changed) {
    this.#changed = changed;
    this.form = h("form", { role: "search", onsubmit: (event) => event.preventDefault() }, h("label", { for: "prefix" }, "Keys that begin with"), this.#input);
    this.results = h("div", { class: "results", hidden: true }, this.#told, this.#found, this.#more);
    this.#input.addEventListener("input", () => this.#begin());
  }

  focus() {
    this.#input.focus();
  }

  get #prefix() {
    return this.#input.value.trim().replace(/^\/+/, "");
  }

  #begin() {
    const active = this.#prefix !== "";
    this.results.hidden = !active;
    this.#changed(active);
    this.#keys = [];
    this.#next = "";
    this.#asked += 1;
    if (active) {
      this.#page();
    }
  }

  /** The folder is asked from just before the first name that can match, and as long as they match. */
  async #page() {
    const asked = this.#asked;
    const prefix = this.#prefix;
    const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
    const start = prefix.slice(folder.length);
    const after = this.#next || (start ? cursorBefore(start) : undefined);
    try {
      const page = await list(folder, { recursive: true, limit: PAGE, after });
      if (asked !== this.#asked) {
        return; // something else was typed meanwhile
      }
      const matching = page.entries.filter((entry) => entry.name.startsWith(start));
      this.#keys.push(...matching.map((entry) => folder + entry.name));
      this.#next = matching.length === page.entries.length ? (page.next ?? "") : "";
      this.#tell(prefix);
    } catch (error) {
      say(this.#told, error.message);
    }
  }

  #tell(prefix) {
    const found = this.#keys.length;
    say(this.#told, found === 0 ? "No key begins so." : `${count(found, "key")}${this.#next ? " so far" : ""}`);
    arrange(
      this.#found,
      this.#keys.map((key) =>
        h("li", {}, h("a", { href: addressOf(key) }, h("mark", {}, prefix), key.slice(prefix.length))),
      ),
    );
    this.#more.hidden = this.#next === "";
  }
}
