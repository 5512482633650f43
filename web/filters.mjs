/** The filters that the status offers, order and variety. In a narrow panel they fold away. */

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
    this.lists = {};
    this.sort = this.choice("sort", (sort) => this.set({ sort }));
    this.varied = this.toggle();
    this.fold = button(t("filters"), { icon: "filter", shown: false, class: "ms-fold", onclick: () => this.open(!this.isOpen), "aria-expanded": "false" });
    this.rest = h("div", { class: "ms-filter-rest" }, this.sort, this.varied.element);
    this.element = h("div", { class: "ms-filters", hidden: true }, this.kinds, this.fold, this.rest);
  }

  open(is) {
    this.isOpen = is;
    this.element.classList.toggle("ms-open", is);
    this.fold.setAttribute("aria-expanded", String(is));
  }

  choice(name, set) {
    const chosen = (event) => set(event.target.value);
    return h("select", { class: "ms-select", "aria-label": this.t(name), dataset: { name }, onchange: chosen });
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

  /** @param {string} name of a filter @param {string} value "" lets all through */
  only(name, value) {
    const { [name]: before, ...others } = this.read().filters;
    this.set({ filters: value ? { ...others, [name]: value } : others });
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
    const { kind, ...others } = known.filters ?? offeredBefore(known);
    this.showKinds(kind.choices, query.filters.kind ?? "");
    this.showLists(others, query.filters);
    options(this.sort, ["name", "folder", "size"].map((name) => [name, t(`sort_${name}`)]), query.sort);
    this.sort.hidden = asks(query);
    this.varied.element.hidden = !asks(query);
    this.varied.box.checked = query.varied;
    this.fold.classList.toggle("ms-set", query.varied || Object.keys(others).some((name) => query.filters[name]));
  }

  /** A list for each filter, where there is something to choose between. */
  showLists(filters, chosen) {
    const { t, lists } = this;
    for (const [name, { choices }] of Object.entries(filters)) {
      lists[name] ??= this.rest.insertBefore(this.choice(name, (value) => this.only(name, value)), this.sort);
      const pairs = choices.map(({ value, label, models }) => [value, `${label} (${models})`]);
      options(lists[name], [["", t(`any_${name}`)], ...pairs], chosen[name] ?? "");
      lists[name].hidden = choices.length < 2 && !chosen[name];
    }
  }

  showKinds(choices, chosen) {
    const { t } = this;
    this.kinds.hidden = choices.length < 2 && !chosen;
    const one = (kind, label, n) =>
      h("button", { type: "button", class: "ms-kind", "aria-pressed": String(kind === chosen), onclick: () => this.only("kind", kind) }, h("span", { text: label }), n && h("small", { text: String(n) }));
    fill(this.kinds, one("", t("any_kind")), ...choices.map(({ value, models }) => one(value, t(`${kindWord(value)}s`), models)));
  }
}

/** What a search server of an earlier version offers, whose status has no `filters`. */
function offeredBefore({ kinds, architectures, folders }) {
  const choices = (counts) => Object.entries(counts).map(([value, models]) => ({ value, label: value, models }));
  const below = folders.map(({ path, label, models }) => ({ value: path, label, models }));
  return { kind: { choices: choices(kinds) }, architecture: { choices: choices(architectures) }, folder: { choices: below } };
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
