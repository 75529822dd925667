// One key: its value as it is stored, live; changed only on the condition that it is still the version that was seen.
//
// Whoever edits holds on to the version with which the editing began. If another is stored meanwhile, the person sees
// both and decides (conflict.js); nothing is written over unseen.
import { Conflict } from "./conflict.js";
import { h, mark, say } from "./dom.js";
import { faultOf, laidOut, layOut } from "./json.js";
import { Silent, deleteValue, getValue, putValue } from "./node.js";
import { Poll } from "./poll.js";
import { addressOf } from "./tree.js";
import { ago, brief, bytes, moment } from "./words.js";

const INTERVAL_MS = 1200;
/** Larger values are shown without colours and layout. */
const LAID_OUT_MAX = 256 * 1024;

export class Editor {
  #stored; // tells that something was stored under a path
  #path = null;
  #mode = "closed"; // closed, view, edit, begin (a key that is to be made)
  #version = null; // what is stored, as of the last look; null: nothing
  #base = null; // the version that the text began from; null: there was none
  #looked = false; // whether the node has told of this key yet
  #shownUuid; // of the value on the screen

  #place = h("h2", { class: "path" });
  #meta = h("p", { class: "under" });
  #message = h("p", { class: "message", role: "status" });
  #edit = h("button", { onclick: () => this.#startEditing() }, "Edit");
  #remove = h("button", { class: "quiet bad", onclick: () => this.#askDelete() }, "Delete…");
  #value = h("pre", { class: "value", tabindex: 0, role: "region", "aria-label": "Value" });
  #name = h("input", { id: "new-path", autocomplete: "off", spellcheck: "false", autocapitalize: "off", placeholder: "users/john/profile" });
  #nameRow = h("p", { class: "field" }, h("label", { for: "new-path" }, "Path of the new key"), this.#name);
  #text = h("textarea", { id: "text", spellcheck: "false", rows: 18, "aria-describedby": "fault" });
  #fault = h("p", { id: "fault", class: "fault" });
  #save = h("button", { class: "main", onclick: () => this.#store() }, "Save");
  #form;
  #aside = h("div", { class: "aside" });
  #conflict = new Conflict({
    replace: () => this.#replaceTheirs(),
    take: () => this.#takeTheirs(),
    goOn: () => this.#goOnWithMine(),
  });
  #dialog = h("dialog", { "aria-labelledby": "delete-question" });
  #poll = new Poll(() => this.#look(), INTERVAL_MS);

  constructor(stored) {
    this.#stored = stored;
    this.#form = h(
      "div",
      { class: "editing" },
      this.#nameRow,
      h("label", { for: "text", class: "field-label" }, "Value, as JSON"),
      this.#text,
      this.#fault,
      h("p", { class: "actions" }, this.#save, h("button", { onclick: () => this.#layOut() }, "Lay out"), h("button", { class: "quiet", onclick: () => this.#cancel() }, "Cancel")),
    );
    this.element = h(
      "section",
      { class: "panel value-panel", "aria-label": "The chosen key" },
      h("p", { class: "back-link" }, h("a", { href: "#/keys/" }, "← All keys")),
      h(
        "div",
        { class: "value-head" },
        h("div", {}, this.#place, this.#meta),
        h("p", { class: "actions viewing" }, this.#edit, this.#remove),
      ),
      this.#message,
      this.#aside,
      this.#conflict.element,
      this.#value,
      this.#form,
      this.#dialog,
    );
    this.#text.addEventListener("input", () => this.#check());
    this.#name.addEventListener("input", () => this.#otherName());
    this.#form.addEventListener("keydown", (event) => this.#key(event));
    addEventListener("beforeunload", (event) => {
      if (this.#dirty) {
        event.preventDefault();
      }
    });
    setInterval(() => this.#tellMeta(), 1000);
    this.#to("closed");
  }

  get #editing() {
    return this.#mode === "edit" || this.#mode === "begin";
  }

  get #dirty() {
    // A text field knows one kind of line end.
    return this.#editing && this.#text.value !== (this.#base?.text ?? "").replaceAll(/\r\n?/g, "\n");
  }

  /** The key that is shown; null: none, or one that is to be made. */
  get path() {
    return this.#mode === "begin" ? null : this.#path;
  }

  /** Shows a key. Unsaved text of the same key stays; that of another only goes if the person lets it. */
  open(path) {
    this.#poll.start();
    if (this.path === path) {
      return;
    }
    if (this.#dirty && !confirm(`Drop the unsaved text of ${this.path ?? "the new key"}?`)) {
      history.replaceState(null, "", this.path === null ? "#/keys/?new" : addressOf(this.#path));
      return;
    }
    this.#path = path;
    this.#version = null;
    this.#looked = false;
    this.#shownUuid = undefined;
    this.#say("");
    this.#to("view");
    this.#poll.now();
  }

  /** Begins a key that is not there yet. */
  begin(path) {
    this.#poll.stop();
    if (this.#mode !== "begin") {
      this.#path = null;
      this.#version = null;
      this.#base = null;
      this.#name.value = path;
      this.#text.value = "";
      this.#say("");
      this.#to("begin");
      this.#check();
    }
    this.#name.focus();
  }

  close() {
    if (!this.#dirty) {
      this.#path = null;
      this.#to("closed");
    }
    this.rest();
  }

  rest() {
    this.#poll.stop();
  }

  async #look() {
    const path = this.#path;
    if (path === null) {
      return;
    }
    let found;
    try {
      found = await getValue(path, this.#version?.uuid);
    } catch (error) {
      if (!(error instanceof Silent)) {
        this.#say(error.message, "bad");
      }
      throw error;
    }
    const isOther = found !== "same" && (!this.#looked || found?.uuid !== this.#version?.uuid);
    if (isOther && path === this.#path) {
      this.#changed(found);
    }
    this.#tellMeta();
  }

  /** Another version is stored than a moment ago. */
  #changed(found) {
    const first = !this.#looked;
    this.#looked = true;
    this.#version = found;
    if (this.#editing) {
      if (this.#conflict.open) {
        this.#conflict.show(found, this.#text.value);
      } else if (found?.uuid !== this.#base?.uuid) {
        this.#tellChangedWhileEditing();
      }
      return;
    }
    const unread = this.#message.dataset.level === "bad"; // of what the person did last: it explains this change
    if (!first && !unread) {
      this.#say(found ? "Changed elsewhere just now." : "Deleted elsewhere just now.", "warn");
    }
    this.#tell();
  }

  #tellChangedWhileEditing() {
    this.#aside.replaceChildren(
      h(
        "p",
        { class: "banner", role: "alert" },
        this.#version ? "Somebody stored another version while you edit. " : "Somebody deleted this key while you edit. ",
        h("button", { onclick: () => this.#showConflict() }, "Compare"),
      ),
    );
  }

  #to(mode) {
    this.#mode = mode;
    mark(this.element, "data-mode", mode);
    this.#nameRow.hidden = mode !== "begin";
    this.#conflict.close();
    this.#aside.replaceChildren();
    this.#tell();
  }

  #tell() {
    this.#tellPlace();
    this.#tellMeta();
    const exists = this.#version !== null;
    this.#remove.hidden = !exists;
    this.#edit.hidden = !this.#looked;
    this.#value.hidden = this.#mode !== "view" || !exists;
    say(this.#edit, exists ? "Edit" : "Create");
    if (this.#mode === "view" && this.#looked && this.#shownUuid !== (this.#version?.uuid ?? null)) {
      this.#shownUuid = this.#version?.uuid ?? null;
      showJson(this.#value, this.#version?.text ?? "");
    }
  }

  #tellPlace() {
    if (this.#mode === "closed") {
      this.#place.replaceChildren("Choose a key");
      return;
    }
    if (this.#mode === "begin") {
      this.#place.replaceChildren("New key");
      return;
    }
    const parts = this.#path.split("/");
    this.#place.replaceChildren(
      ...parts.slice(0, -1).flatMap((part, i) => [h("a", { href: addressOf(`${parts.slice(0, i + 1).join("/")}/`) }, part), "/"]),
      h("span", {}, parts.at(-1)),
    );
  }

  #tellMeta() {
    if (this.#mode === "closed") {
      say(this.#meta, "The tree shows all that this node holds. Press / to search.");
    } else if (this.#mode === "begin") {
      say(this.#meta, "It is stored only if there is no such key yet.");
    } else if (this.#version) {
      const { uuid, timestamp, expires, text, proxied } = this.#version;
      const until = expires ? `, expires ${moment(expires)}: what is saved here stays` : "";
      const when = `${moment(timestamp)} (${ago(Date.now() - timestamp)})`;
      say(this.#meta, `Version ${brief(uuid)} of ${when}, ${bytes(new TextEncoder().encode(text).length)}${until}${proxied ? ", told by another member" : ""}`);
      mark(this.#meta, "title", uuid);
    } else {
      say(this.#meta, !this.#looked ? "Reading…" : "There is no value under this key.");
    }
  }

  #say(text, level = null) {
    say(this.#message, text);
    mark(this.#message, "data-level", level);
  }

  #startEditing() {
    this.#base = this.#version;
    this.#text.value = this.#base?.text ?? "";
    this.#say("");
    this.#to("edit");
    this.#check();
    this.#text.focus();
  }

  #check() {
    const fault = this.#text.value.trim() === "" ? null : faultOf(this.#text.value);
    const empty = this.#text.value.trim() === "";
    say(this.#fault, fault ? `Line ${fault.line}, column ${fault.column}: ${fault.message}.` : "");
    mark(this.#text, "aria-invalid", fault ? "true" : null);
    this.#save.disabled = fault !== null || empty;
    if (this.#conflict.open) {
      this.#conflict.show(this.#version, this.#text.value);
    }
  }

  /** What was seen under another name is no ground to replace anything under this one. */
  #otherName() {
    this.#base = null;
    this.#conflict.close();
  }

  #layOut() {
    if (faultOf(this.#text.value) === null) {
      this.#text.value = layOut(this.#text.value);
      this.#check();
    }
  }

  #key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      if (!this.#save.disabled) {
        this.#store();
      }
    } else if (event.key === "Escape" && event.target === this.#text) {
      this.#cancel();
    }
  }

  #cancel() {
    if (this.#dirty && !confirm("Drop the unsaved text?")) {
      return;
    }
    this.#say("");
    if (this.#mode === "begin") {
      this.#to("closed");
      location.hash = "#/keys/";
    } else {
      this.#backToView();
    }
  }

  #backToView() {
    this.#shownUuid = undefined;
    this.#to("view");
    this.#edit.focus();
  }

  /** Stores the text if what is stored is still `base`. */
  async #store() {
    if (this.#mode === "begin") {
      this.#path = this.#name.value.trim().replace(/^\/+/, "");
      if (this.#path === "") {
        this.#say("The key needs a path.", "bad");
        this.#name.focus();
        return;
      }
    }
    const text = this.#text.value;
    this.#save.disabled = true;
    this.#say("Saving…");
    try {
      const made = await putValue(this.#path, text, this.#base?.uuid ?? null);
      this.#saved({ text, uuid: made.uuid, timestamp: made.timestamp, proxied: false });
    } catch (error) {
      await this.#notStored(error, text);
    }
    this.#check();
  }

  #saved(version) {
    this.#looked = true;
    this.#version = version;
    this.#base = version;
    this.#backToView();
    this.#say(`Saved as version ${brief(version.uuid)}.`, "good");
    this.#poll.start();
    this.#stored(this.#path);
  }

  async #notStored(error, text) {
    if (error instanceof Silent) {
      this.#say("No answer came: it may be stored, or not. Save again when the node is back; nothing of anybody else is overwritten.", "bad");
      return;
    }
    if (error.code !== "version_mismatch") {
      this.#say(`Not saved: ${error.message}.`, "bad");
      return;
    }
    try {
      const found = await getValue(this.#path);
      if (found?.text === text) {
        this.#saved(found); // an earlier attempt, to which no answer came, had gone through
        return;
      }
      this.#looked = true;
      this.#version = found;
      this.#showConflict();
    } catch {
      this.#say("Not saved: somebody else stored another version, which cannot be read now. Save again to see it.", "bad");
    }
  }

  #showConflict() {
    this.#aside.replaceChildren();
    this.#say("");
    this.#conflict.show(this.#version, this.#text.value);
    this.#conflict.element.scrollIntoView({ block: "nearest" });
    this.#conflict.focus();
  }

  /** What the person has seen is what may be replaced; another version that comes between is another conflict. */
  #replaceTheirs() {
    this.#base = this.#conflict.theirs;
    this.#conflict.close();
    this.#store();
  }

  #takeTheirs() {
    this.#base = this.#version;
    this.#text.value = this.#base?.text ?? "";
    if (this.#mode === "begin") {
      this.#stored(this.#path);
    }
    this.#backToView();
    this.#say("Your text was dropped; what is stored stays.");
    this.#poll.start();
  }

  #goOnWithMine() {
    this.#base = this.#conflict.theirs;
    this.#conflict.close();
    this.#say("Saving now replaces the version that you have seen.");
    this.#text.focus();
  }

  #askDelete() {
    const version = this.#version;
    this.#dialog.replaceChildren(
      h("h2", { id: "delete-question" }, "Delete this key?"),
      h("p", { class: "path" }, this.#path),
      h("p", {}, `Version ${brief(version.uuid)} goes, on all nodes. If it is changed before you say so, nothing is deleted.`),
      h(
        "p",
        { class: "actions" },
        h("button", { class: "main bad", onclick: () => this.#delete(version) }, "Delete"),
        h("button", { class: "quiet", onclick: () => this.#dialog.close() }, "Keep"),
      ),
    );
    this.#dialog.showModal();
  }

  async #delete(version) {
    this.#dialog.close();
    try {
      await deleteValue(this.#path, version.uuid);
      this.#version = null;
      this.#tell();
      this.#say("Deleted.", "good");
      this.#stored(this.#path);
    } catch (error) {
      if (error instanceof Silent) {
        this.#say("No answer came: it may be deleted, or not. This page shows which as soon as the node answers.", "bad");
      } else {
        this.#say(error.code === "version_mismatch" ? "Not deleted: it was changed meanwhile. Look at it, and decide again." : `Not deleted: ${error.message}.`, "bad");
      }
    }
    this.#poll.now();
  }
}

/** Lays JSON out with colours; text that is none, or too much of it, as it is. */
function showJson(element, text) {
  element.textContent = text;
  if (text === "" || text.length > LAID_OUT_MAX || faultOf(text) !== null) {
    return;
  }
  const parts = [];
  for (const token of laidOut(text)) {
    const kind = token.isKey ? "key" : token.kind;
    parts.push(/^[a-z]+$/.test(kind) && kind !== "blank" ? h("span", { class: `t-${kind}` }, token.text) : token.text);
  }
  element.replaceChildren(...parts);
}
