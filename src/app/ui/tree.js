// The tree of keys: folders that open, read page by page as they are opened, and looked at again while they are open.
// One row a name, in a flat list with levels; arrow keys go through it as in any tree.
import { arrange, h, mark, say } from "./dom.js";
import { escapePath, list } from "./node.js";

const PAGE = 200;
/** So many open folders are looked at again; others when they are opened. */
const WATCHED_MAX = 20;
const LIMIT_MAX = 10000;

class Folder {
  open = false;
  entries = null; // nothing: not read yet
  more = false;
  pages = 1;

  constructor(path, level) {
    this.path = path; // "" or "users/"
    this.level = level;
  }
}

export class Tree {
  element = h("div", { role: "tree", "aria-label": "Keys", class: "tree" });

  #folders = new Map([["", new Folder("", 0)]]);
  #rows = new Map();
  #order = [];
  #selected = null;
  #focused = null;
  #choose;
  #seen = new Set(); // names that were there when their folder was read first

  /** `choose(path)` is called when a key is chosen. */
  constructor(choose) {
    this.#choose = choose;
    this.#folders.get("").open = true;
    this.element.addEventListener("keydown", (event) => this.#key(event));
    this.element.addEventListener("focusin", (event) => this.#focusCame(event.target));
  }

  /** Reads the open folders anew. */
  async look() {
    const open = this.#visibleFolders().slice(0, WATCHED_MAX);
    await Promise.all(open.map((folder) => this.#read(folder)));
    this.#draw();
  }

  /** Shows which key is open, without opening folders. */
  select(path) {
    this.#selected = path;
    this.#draw();
  }

  /** Opens all folders above a path, or the folder itself. */
  async reveal(path) {
    for (let at = path.indexOf("/"); at >= 0; at = path.indexOf("/", at + 1)) {
      const folder = this.#folder(path.slice(0, at + 1));
      folder.open = true;
      if (!folder.entries) {
        await this.#read(folder);
      }
    }
    this.#draw();
  }

  #folder(path) {
    if (!this.#folders.has(path)) {
      this.#folders.set(path, new Folder(path, path.split("/").length - 1));
    }
    return this.#folders.get(path);
  }

  #visibleFolders() {
    const visible = (folder) => {
      const above = folder.path.split("/").slice(0, -2);
      return folder.open && above.every((_, i) => this.#folder(`${above.slice(0, i + 1).join("/")}/`).open);
    };
    return [...this.#folders.values()].filter(visible);
  }

  async #read(folder) {
    const first = folder.entries === null;
    const page = await list(folder.path, { limit: Math.min(LIMIT_MAX, folder.pages * PAGE) });
    folder.entries = page.entries;
    folder.more = page.next !== undefined && folder.pages * PAGE < LIMIT_MAX;
    if (first) {
      page.entries.forEach((entry) => this.#seen.add(folder.path + entry.name));
    }
  }

  #toggle(folder) {
    folder.open = !folder.open;
    this.#draw();
    if (folder.open) {
      this.#readAndDraw(folder);
    }
  }

  #showMore(folder) {
    folder.pages += 1;
    this.#readAndDraw(folder);
  }

  /** If the node is silent the frame says so, and the next look reads what is open. */
  #readAndDraw(folder) {
    this.#read(folder)
      .then(() => this.#draw())
      .catch(() => {});
  }

  #draw() {
    this.#order = [];
    this.#collect(this.#folders.get(""));
    if (!this.#order.some((row) => row.id === this.#focused)) {
      this.#focused = this.#order[0]?.id ?? null;
    }
    for (const row of this.#order) {
      mark(row.element, "tabindex", row.id === this.#focused ? 0 : -1);
      mark(row.element, "aria-selected", row.id === this.#selected ? "true" : "false");
    }
    const shown = this.#order.map((row) => row.element);
    arrange(this.element, shown.length > 0 ? shown : [this.#row({ id: "?", kind: "none", level: 1, text: "No keys yet." }).element]);
    const kept = new Set(this.#order.map((row) => row.id));
    for (const id of this.#rows.keys()) {
      if (!kept.has(id)) {
        this.#rows.delete(id);
      }
    }
  }

  #collect(folder) {
    for (const entry of folder.entries ?? []) {
      const path = folder.path + entry.name;
      const isFolder = entry.name.endsWith("/");
      const below = isFolder ? this.#folder(path) : null;
      const row = this.#row({ id: path, kind: isFolder ? "folder" : "key", level: folder.level + 1, text: entry.name });
      if (isFolder) {
        row.folder = below;
        mark(row.element, "aria-expanded", below.open ? "true" : "false");
      } else {
        this.#noteChange(row, entry.uuid);
      }
      this.#order.push(row);
      if (below?.open) {
        this.#collect(below);
      }
    }
    if (folder.more) {
      const row = this.#row({ id: `${folder.path}/more`, kind: "more", level: folder.level + 1, text: "Show more…" });
      row.folder = folder;
      this.#order.push(row);
    }
  }

  /** What was written since it was drawn last is lit for a moment. */
  #noteChange(row, uuid) {
    const isNew = row.uuid === undefined && !this.#seen.has(row.id);
    const changed = row.uuid !== undefined && row.uuid !== uuid;
    this.#seen.add(row.id);
    row.uuid = uuid;
    if (isNew || changed) {
      row.element.classList.remove("lit");
      requestAnimationFrame(() => row.element.classList.add("lit"));
    }
  }

  #row({ id, kind, level, text }) {
    let row = this.#rows.get(id);
    if (!row) {
      const label = h("span", { class: "label" });
      row = { id, kind, label, element: h("div", { role: "treeitem", class: `row ${kind}`, tabindex: -1 }, label) };
      row.element.addEventListener("click", () => this.#act(row));
      this.#rows.set(id, row);
    }
    say(row.label, text);
    mark(row.element, "aria-level", level);
    row.element.style.setProperty("--level", level);
    return row;
  }

  #act(row) {
    this.#focus(row);
    if (row.kind === "folder") {
      this.#toggle(row.folder);
    } else if (row.kind === "more") {
      this.#showMore(row.folder);
    } else if (row.kind === "key") {
      this.#choose(row.id);
    }
  }

  #focus(row) {
    if (row) {
      this.#focused = row.id;
      this.#draw();
      row.element.focus();
    }
  }

  /** By whatever way: the arrows go on from there. */
  #focusCame(element) {
    const row = this.#order.find((other) => other.element === element);
    if (row && row.id !== this.#focused) {
      this.#focused = row.id;
      this.#draw();
    }
  }

  #key(event) {
    const at = this.#order.findIndex((row) => row.id === this.#focused);
    const row = this.#order[at];
    if (!row || event.ctrlKey || event.altKey || event.metaKey) {
      return;
    }
    const goals = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: this.#order.length - 1 };
    if (event.key in goals) {
      this.#focus(this.#order[goals[event.key]]);
    } else if (event.key === "ArrowRight" && row.kind === "folder") {
      row.folder.open ? this.#focus(this.#order[at + 1]) : this.#toggle(row.folder);
    } else if (event.key === "ArrowLeft") {
      const above = row.id.replace(/[^/]+\/?$/, "");
      row.kind === "folder" && row.folder.open ? this.#toggle(row.folder) : this.#focus(this.#order.find((other) => other.id === above));
    } else if (event.key === "Enter" || event.key === " ") {
      this.#act(row);
    } else {
      return;
    }
    event.preventDefault();
  }
}

/** The address of a key in the console. */
export function addressOf(path) {
  return `#/keys/${escapePath(path)}`;
}
