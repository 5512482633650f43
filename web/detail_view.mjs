/** One model at large: all its samples, beside its base's on the same probes, and what can be done with it. */

import { copyText } from "./actions.mjs";
import { byHand } from "./by_hand.mjs";
import { meta, relevance, strip, sureness } from "./card.mjs";
import { drawings } from "./drawings.mjs";
import { button, fill, h } from "./elements.mjs";
import { explanation } from "./explanation.mjs";

export class DetailView {
  constructor(context) {
    this.context = context;
    this.compare = false;
    this.shown = "samples"; // or drawings
    this.content = h("div", { class: "ms-detail-content" });
    this.element = h("dialog", { class: "ms-detail", "aria-labelledby": "ms-detail-name" }, this.content);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("click", (event) => event.target === this.element && this.close());
    this.element.addEventListener("close", () => this.closed());
  }

  get isOpen() {
    return this.element.open;
  }

  close() {
    this.element.close();
  }

  closed() {
    this.content.replaceChildren();
    this.match = null;
    this.context.surface();
    if (document.activeElement === document.body) this.opener?.focus?.(); // the browser has given it back, or a key moved on
  }

  /** @param {import("./api.mjs").Match} match */
  async open(match) {
    if (!this.isOpen) this.opener = document.activeElement;
    this.match = match;
    this.model = null;
    this.draw();
    if (!this.isOpen) this.element.showModal();
    const model = await this.context.guard(() => this.context.api.model(match.id, match.answer));
    if (!model || this.match !== match) return;
    this.model = { ...model, relevance: match.relevance, confidence: match.confidence, weak: match.weak, explanation: model.explanation ?? match.explanation, thumbnails: match.thumbnails };
    this.draw();
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") event.stopPropagation();
    if (!step || event.target.closest("input, select, .ms-confirm")) return;
    event.preventDefault();
    this.go(step);
  }

  go(step) {
    const next = this.context.neighbour(this.match, step);
    if (next) this.open(next);
  }

  draw() {
    const model = this.model ?? this.match;
    const focused = this.element.contains(document.activeElement) && document.activeElement?.dataset?.key;
    fill(this.content, this.head(model), h("div", { class: "ms-detail-body" }, this.gallery(model), this.side(model)));
    (focused ? this.element.querySelector(`[data-key="${focused}"]`) : null)?.focus();
  }

  head(model) {
    const { t, neighbour } = this.context;
    const go = (step, label, name) =>
      button(t(label), { icon: name, shown: false, disabled: !neighbour(this.match, step), onclick: () => this.go(step), dataset: { key: label } });
    const name = h("div", { class: "ms-detail-title" }, h("h2", { id: "ms-detail-name", text: model.name }), meta(model, t));
    const close = button(t("close"), { icon: "close", shown: false, onclick: () => this.close(), dataset: { key: "close" }, autofocus: true });
    return h("header", { class: "ms-detail-head" }, name, go(-1, "previous", "back"), go(1, "next", "forward"), close);
  }

  gallery(model) {
    return this.shown === "drawings" && model.painted?.length ? this.drawn(model) : this.sampled(model);
  }

  drawn(model) {
    const compared = this.compare && model.painted_by_base.length > 0;
    const tiles = drawings(model, this.context, { compared, searchBy: (url) => this.searchBy(url) });
    const bar = h("div", { class: "ms-gallery-bar" }, this.choice(model), model.painted_by_base.length > 0 && this.toggle(compared));
    return h("div", { class: "ms-gallery-side" }, bar, h("div", { class: `ms-gallery ms-compared${compared ? " ms-three" : ""}` }, ...tiles));
  }

  toggle(compared) {
    const box = h("input", { type: "checkbox", class: "ms-switch", checked: compared, onchange: () => this.turn({ compare: box.checked }), dataset: { key: "compare" } });
    return h("label", { class: "ms-varied" }, box, h("span", { text: this.context.t("compare") }));
  }

  /** Between samples and drawings, where there are both. */
  choice(model) {
    const { t } = this.context;
    const n = model.samples_shown?.length ?? 0;
    const one = (shown, text) =>
      h("button", { type: "button", class: "ms-kind", "aria-pressed": String(shown === this.shown), text, onclick: () => this.turn({ shown }), dataset: { key: shown } });
    return h("div", { class: "ms-kinds", role: "group" }, one("samples", t("samples", { n })), one("drawings", t("drawings", { n: model.painted.length })));
  }

  sampled(model) {
    const { t } = this.context;
    const samples = model.samples_shown ?? model.thumbnails.map((number) => ({ number, prompt: "" }));
    const bases = new Set(model.base_numbers ?? []);
    const compared = this.compare && bases.size > 0;
    const count = model.painted?.length ? this.choice(model) : h("h3", { text: samples.length ? t("samples", { n: samples.length }) : t("no_pictures") });
    const bar = h("div", { class: "ms-gallery-bar" }, count, bases.size > 0 && this.toggle(compared));
    const tiles = ordered(samples, model.thumbnails).map((sample) => this.tile(model, sample, compared && bases.has(sample.number)));
    return h("div", { class: "ms-gallery-side" }, bar, h("div", { class: `ms-gallery${compared ? " ms-compared" : ""}` }, ...tiles));
  }

  turn(values) {
    Object.assign(this, values);
    this.draw();
  }

  tile(model, { number, prompt }, compared) {
    const { t, api } = this.context;
    const image = (src, label) =>
      h("div", { class: "ms-shot" }, h("img", { src, alt: prompt || model.name, loading: "lazy" }), compared && h("small", { text: label }));
    const tools = h(
      "div",
      { class: "ms-quick" },
      button(t("search_by_this"), { icon: "search", shown: false, onclick: () => this.searchBy(api.pictureUrl(model, number)) }),
      model.evidence && button(t("save_preview"), { icon: "save", shown: false, onclick: () => this.askToSave(model, number), dataset: { action: "savePreview" } }),
    );
    const shots = h("div", { class: "ms-shots" }, image(api.pictureUrl(model, number), t("this_model")), compared && image(api.baseUrl(model.id, number), t("base")));
    return h("figure", { class: "ms-sample", tabIndex: 0 }, shots, tools, prompt && h("figcaption", { text: prompt, title: prompt }));
  }

  async searchBy(url) {
    const { guard, searchBy } = this.context;
    const picture = await guard(async () => (await fetch(url)).blob());
    if (!picture) return;
    this.close();
    searchBy(picture);
  }

  side(model) {
    const { t, actions } = this.context;
    const acts = actions(model).map((action) =>
      button(action.label, { icon: action.icon, class: action.primary ? "ms-primary" : "", onclick: action.run, dataset: { action: action.id } }),
    );
    const twins = button(t("near_duplicates"), { icon: "twins", onclick: () => this.showTwins(model), dataset: { action: "duplicates" } });
    this.twins = h("div", { class: "ms-twins" });
    return h(
      "aside",
      { class: "ms-side" },
      model.relevance !== undefined && h("div", { class: "ms-side-relevance" }, relevance(model, t), sureness(model, t)),
      h("div", { class: "ms-actions" }, ...acts, model.evidence && twins),
      this.twins,
      model.no_effect && h("p", { class: "ms-failure", text: t("no_effect") }),
      model.failure && h("p", { class: "ms-failure", text: t("failed_because", { reason: model.failure }) }),
      model.trigger_words.length > 0 && this.section("trigger_words", this.words(model)),
      model.strength && this.section("strength", h("span", { text: String(model.strength) })),
      model.explanation?.length > 0 && this.section("why", explanation(model, this.context)),
      model.base_name && this.section("base_model", h("span", { text: model.base_name })),
      this.section("file", h("span", { class: "ms-path", text: model.path }), model.other_half && h("div", { class: "ms-path", text: model.other_half })),
      model.copies?.length > 0 && this.section("same_weights", ...model.copies.map((path) => h("div", { class: "ms-path", text: path }))),
      this.model && this.section("by_hand_title", byHand(model, this.context, () => this.open(this.match))),
    );
  }

  section(label, ...content) {
    return h("section", {}, h("h3", { text: this.context.t(label) }), ...content);
  }

  words(model) {
    const { t } = this.context;
    const one = (word) => h("button", { type: "button", class: "ms-word", title: t("copy_word", { word }), text: word, onclick: () => copyText(word, this.context) });
    return h("div", { class: "ms-words" }, ...model.trigger_words.map(one));
  }

  async showTwins(model) {
    const { t, api, guard } = this.context;
    fill(this.twins, h("p", { text: t("loading") }));
    const found = await guard(() => api.duplicates(model.id));
    if (!found || this.match?.id !== model.id) return;
    const alike = found.near.map(({ a, b, similarity }) => ({ ...(a.id === model.id ? b : a), similarity }));
    const note = (each) => each.said ?? t("alike", { n: Math.floor(each.similarity * 1000) / 10 });
    const shown = [...alike, ...kin(found, model.id, t)];
    const list = strip(shown, { ...this.context, open: (each) => this.open(each), note });
    const unsure = found.without_magnitude?.length > 0 && h("p", { class: "ms-facts", text: t("without_magnitude") });
    fill(this.twins, shown.length ? list : h("p", { text: t("no_duplicates") }), unsure);
  }

  /** Asks, and asks again where a preview is there already. */
  async askToSave(model, number, replace = false) {
    const { t, api, say } = this.context;
    const existing = model.previews?.[0];
    const file = `${model.path.split(/[\\/]/).pop().replace(/\.\w+$/, "")}.preview.png`;
    const asked = existing ? ["replace_title", "replace_text", "replace", existing] : ["save_title", "save_text", "save", file];
    if (!(await this.confirm(...asked, api.sampleUrl(model.id, number)))) return;
    await this.context.guard(async () => {
      const { saved } = await api.savePreview(model.id, number, replace || Boolean(existing));
      say(t("saved", { file: saved }));
      if (this.model?.id === model.id) this.model.previews = [saved, ...(model.previews ?? []).filter((each) => each !== saved)];
    });
  }

  /** @returns {Promise<boolean>} */
  confirm(title, text, yes, file, picture) {
    const { t } = this.context;
    return new Promise((decide) => {
      const dialog = h("dialog", { class: "ms-confirm", "aria-label": t(title) });
      const end = (answer) => {
        dialog.remove();
        decide(answer);
      };
      const no = button(t("cancel"), { onclick: () => end(false), autofocus: true });
      const go = button(t(yes), { class: "ms-primary", onclick: () => end(true) });
      const words = h("div", {}, h("h3", { text: t(title) }), h("p", { text: t(text, { file }) }));
      dialog.append(h("div", { class: "ms-confirm-body" }, h("img", { src: picture, alt: "" }), words), h("div", { class: "ms-actions" }, no, go));
      dialog.addEventListener("cancel", (event) => {
        event.preventDefault();
        event.stopPropagation();
        end(false);
      });
      dialog.addEventListener("keydown", (event) => event.stopPropagation());
      this.element.append(dialog);
      dialog.showModal();
    });
  }
}

/** LoRA that are epochs, copies or merges of this one, or its parts, with what they are to it. */
function kin({ by_weights, merges }, id, t) {
  const round = (n) => Math.round(n * 100) / 100;
  const pairs = by_weights.map(({ a, b, kinship, ratio }) => {
    const isLess = a.id === id;
    return { ...(isLess ? b : a), said: t(`kin_${kinship}`, { n: round(isLess ? ratio : 1 / ratio) }) };
  });
  const mixed = merges.flatMap(({ merged, a, b, alpha, beta }) => {
    if (merged.id !== id) return [{ ...merged, said: t("kin_merge", { n: round(a.id === id ? alpha : beta) }) }];
    return [[a, alpha], [b, beta]].map(([part, n]) => ({ ...part, said: t("kin_part", { n: round(n) }) }));
  });
  return [...mixed, ...pairs];
}

/** Those that fit best first, the others after them. */
function ordered(samples, first) {
  const place = new Map(first.map((number, index) => [number, index]));
  const of = ({ number }) => place.get(number) ?? first.length + number;
  return [...samples].sort((a, b) => of(a) - of(b));
}
