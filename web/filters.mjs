/** Kind, base, folder, order and variety. In a narrow panel they fold away. */

import { kindWord } from "./card.mjs";
import { button, fill, h } from "./elements.mjs";
import { asks } from "./query.mjs";

export class Filters {
  /** @param {any} context @param {import("./query.mjs").Query} query @param {() => void} changed */
  constructor({ t }, query, changed) {
    this.t = t;
    this.read = () => query;
    this.changed = changed;
    this.kinds = h("div", { class: "ms-kinds", role: "group", "aria-label": t("kind") });
    this.architecture = this.choice("architecture");
    this.folder = this.choice("folder");
    this.sort = this.choice("sort");
    this.varied = this.toggle();
    this.fold = button(t("filters"), { icon: "filter", shown: false, class: "ms-fold", onclick: () => this.open(!this.isOpen), "aria-expanded": "false" });
    const rest = h("div", { class: "ms-filter-rest" }, this.architecture, this.folder, this.sort, this.varied.element);
    this.element = h("div", { class: "ms-filters", hidden: true }, this.kinds, this.fold, rest);
  }

  open(is) {
    this.isOpen = is;
    this.element.classList.toggle("ms-open", is);
    this.fold.setAttribute("aria-expanded", String(is));
  }

  choice(name) {
    const set = (event) => this.set({ [name]: event.target.value });
    return h("select", { class: "ms-select", "aria-label": this.t(name), dataset: { name }, onchange: set });
  }

  toggle() {
    const box = h("input", { type: "checkbox", class: "ms-switch", onchange: () => this.set({ varied: box.checked }) });
    return { box, element: h("label", { class: "ms-varied", title: this.t("varied_hint") }, box, h("span", { text: this.t("varied") })) };
  }

  set(values) {
    Object.assign(this.read(), values);
    this.show();
    this.changed();
  }

  status(status) {
    this.known = status;
    this.show();
  }

  /** Draws what can be chosen, and what is. */
  show() {
    const { t, known } = this;
    const query = this.read();
    if (!known?.models) return;
    this.showKinds(known.kinds, query.kind);
    const architectures = Object.entries(known.architectures).map(([name, n]) => [name, `${name} (${n})`]);
    options(this.architecture, [["", t("any_architecture")], ...architectures], query.architecture);
    const folders = known.folders.map(({ path, label, models }) => [path, `${label} (${models})`]);
    options(this.folder, [["", t("any_folder")], ...folders], query.folder);
    options(this.sort, ["name", "folder", "size"].map((name) => [name, t(`sort_${name}`)]), query.sort);
    this.architecture.hidden = architectures.length < 2 && !query.architecture;
    this.folder.hidden = folders.length < 2 && !query.folder;
    this.sort.hidden = asks(query);
    this.varied.element.hidden = !asks(query);
    this.varied.box.checked = query.varied;
    const set = [query.architecture, query.folder, query.varied].filter(Boolean).length;
    this.fold.classList.toggle("ms-set", set > 0);
  }

  showKinds(kinds, chosen) {
    const { t } = this;
    const names = Object.keys(kinds);
    this.kinds.hidden = names.length < 2 && !chosen;
    const one = (kind, label, n) =>
      h("button", { type: "button", class: "ms-kind", "aria-pressed": String(kind === chosen), onclick: () => this.set({ kind }) }, h("span", { text: label }), n && h("small", { text: String(n) }));
    fill(this.kinds, one("", t("any_kind")), ...names.map((kind) => one(kind, t(`${kindWord(kind)}s`), kinds[kind])));
  }
}

/** Fills a select, unless it says the same already: an open list must not close. */
function options(select, pairs, chosen) {
  const key = JSON.stringify(pairs);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    fill(select, ...pairs.map(([value, text]) => h("option", { value, text })));
  }
  select.value = chosen;
}
