/** Search: what is asked at the top, the models below. */

import { card, cardSize, strip } from "./card.mjs";
import { button, debounced, fill, h, icon } from "./elements.mjs";
import { Filters } from "./filters.mjs";
import { asks, chip, cleared, release, request } from "./query.mjs";
import { find } from "./results.mjs";
import { Sketch } from "./sketch.mjs";
import { StyleSlider } from "./style_slider.mjs";
import { VirtualGrid } from "./virtual_grid.mjs";

const TYPING = 280; // milliseconds after the last key
const GUESSES = 12; // of the best matches, that are looked through for guesses

export class SearchView {
  /** @param {any} context @param {{query: import("./query.mjs").Query}} state */
  constructor(context, state) {
    this.context = context;
    this.state = state;
    this.results = { count: 0, at: () => null, named: [], searched: false };
    this.typed = debounced(() => this.run(), TYPING);
    this.element = this.build();
    this.grid.above = () => this.head.offsetHeight;
    this.grid.element.addEventListener("leave", () => this.focus());
  }

  size(width) {
    this.input.placeholder = this.context.t(width < 320 ? "describe_short" : "describe");
    return cardSize(width);
  }

  get query() {
    return this.state.query;
  }

  build() {
    const { t } = this.context;
    this.filters = new Filters(this.context, this.query, () => this.run());
    this.box = this.searchBox();
    this.chips = h("div", { class: "ms-chips", role: "list" });
    this.style = new StyleSlider(this.context, this.query, () => this.run());
    this.drawing = h("div", { hidden: true });
    this.hint = this.dropHint();
    this.head = h("div", { class: "ms-head" }, this.box);
    this.below = h("div", { class: "ms-below" }, this.chips, this.style.element, this.drawing, this.hint, this.filters.element);
    this.summary = h("div", { class: "ms-summary" });
    this.notice = h("div", { class: "ms-notice", hidden: true });
    this.named = h("div", { class: "ms-named", hidden: true });
    this.scroller = h("div", { class: "ms-scroll" });
    this.grid = new VirtualGrid({
      scroller: this.scroller,
      label: t("all_models"),
      size: (width) => this.size(width),
      tile: (index) => card(this.results.at(index), this.context),
      empty: () => card(null, this.context),
    });
    this.scroller.append(this.head, this.below, this.summary, this.notice, this.named, this.grid.element);
    return h("div", { class: "ms-view ms-search-view", role: "tabpanel" }, this.scroller);
  }

  searchBox() {
    const { t } = this.context;
    this.input = h("input", {
      type: "search",
      class: "ms-input",
      placeholder: t("describe"),
      "aria-label": t("search_label"),
      autocomplete: "off",
      spellcheck: "false",
      value: this.query.text,
      oninput: () => this.type(),
      onkeydown: (event) => this.key(event),
    });
    this.file = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, onchange: () => this.chosen() });
    const picture = button(t("add_picture"), { icon: "image", shown: false, onclick: () => this.file.click() });
    this.pen = button(t("draw"), { icon: "pen", shown: false, onclick: () => this.sketch() });
    return h("div", { class: "ms-box", role: "search" }, icon("search"), this.input, picture, this.pen, this.file);
  }

  dropHint() {
    const { t } = this.context;
    const text = h("span", {}, h("b", { text: t("drop_title") }), h("span", { text: t("drop_hint") }));
    return h("button", { type: "button", class: "ms-drop-hint", onclick: () => this.file.click() }, icon("image"), text);
  }

  destroy() {
    this.stop?.abort();
    this.grid.destroy();
  }

  /** What the server has; loads again when it has changed. */
  status(status) {
    const before = this.known;
    this.known = status;
    this.filters.status(status);
    if (!before) this.preset();
    if (before?.serial !== status.serial) this.run();
  }

  preset() {
    const wanted = this.context.host.architectureOfGraph?.();
    if (wanted && !this.query.filters.architecture && this.known.architectures?.[wanted]) this.query.filters.architecture = wanted;
    this.filters.show();
  }

  shown() {
    this.grid.measure();
  }

  focus() {
    this.scroller.scrollTop = 0;
    this.input.focus();
    this.input.select();
  }

  type() {
    this.query.text = this.input.value;
    this.typed();
  }

  key(event) {
    if (event.key === "Enter") this.run();
    else if (event.key === "ArrowDown") this.grid.focus(this.grid.current);
    else if (event.key === "Escape" && this.input.value) this.change({ text: "" });
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Partial<import("./query.mjs").Query>} values */
  change(values) {
    Object.assign(this.query, values);
    this.input.value = this.query.text;
    this.filters.show();
    this.run();
  }

  like(match) {
    this.add({ type: "like", id: match.id, text: match.name }, { text: "" });
  }

  chosen() {
    for (const file of this.file.files) this.addPicture(file, "image", false);
    this.file.value = "";
  }

  addPicture(file, type, not) {
    const { t, say } = this.context;
    const most = this.known?.limits.picture_bytes ?? Infinity;
    const megabytes = (bytes) => Math.ceil(bytes / 2 ** 20);
    const name = file.name || t("picture");
    if (!file.type.startsWith("image/")) say(t("no_picture", { name }), "error");
    else if (file.size > most) say(t("too_large", { name, size: megabytes(file.size), most: megabytes(most) }), "error");
    else this.add({ type, not, file });
  }

  add(values, others = {}) {
    const chips = values.type === "like" ? this.query.chips.filter((each) => each.type !== "like") : this.query.chips;
    this.change({ ...others, chips: [...chips, chip(values)] });
  }

  sketch() {
    if (!this.drawing.hidden) return this.endSketch();
    const onDone = (file) => {
      this.endSketch();
      this.add({ type: "sketch", file });
    };
    this.drawing.hidden = false;
    this.hint.hidden = true;
    this.pen.setAttribute("aria-expanded", "true");
    fill(this.drawing, new Sketch({ t: this.context.t, onDone, onCancel: () => this.endSketch() }).element);
    this.drawing.scrollIntoView({ block: "nearest" });
    return undefined;
  }

  endSketch() {
    this.drawing.hidden = true;
    this.drawing.replaceChildren();
    this.hint.hidden = asks(this.query) || !this.known?.models;
    this.pen.removeAttribute("aria-expanded");
  }

  /** Looks for what is asked and shows it. */
  async run() {
    this.drawChips();
    this.filters.show();
    this.style.show();
    if (!this.known) return;
    if (!this.known.models) return this.empty();
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const late = setTimeout(() => this.element.classList.add("ms-waiting"), 150);
    try {
      const found = await find(this.context.api, this.query, stop.signal, (start, count) => this.arrived(start, count));
      if (stop.signal.aborted) return;
      this.show(found);
    } catch (error) {
      if (error?.name !== "AbortError") this.failed(error);
    } finally {
      clearTimeout(late);
      if (this.stop === stop) this.element.classList.remove("ms-waiting");
    }
  }

  arrived(start, count) {
    for (let index = start; index < start + count; index++) this.grid.refresh(index);
  }

  show(results) {
    const { t, announce } = this.context;
    this.results = results;
    this.below.hidden = false;
    this.filters.element.hidden = false;
    this.hint.hidden = asks(this.query) || !this.drawing.hidden;
    fill(this.summary, h("h2", { text: this.heading(results) }), this.measuring(results), this.auditioning(results), this.query.chips.length || this.query.text ? this.clearing() : null);
    this.notify(results);
    this.showNamed(results.named);
    this.grid.reset(results.count);
    if (!results.searched) return;
    this.scroller.scrollTop = 0;
    const best = results.at(0);
    if (best) announce(t(best.weak ? "weak_announced" : "results_announced", { n: results.count, name: best.name }));
  }

  heading({ count, searched }) {
    const { t } = this.context;
    if (searched) return t("best_of", { n: count, all: this.known.models });
    return count === 1 ? t("one_model") : t("n_models", { n: count });
  }

  /** A button that has the host try the best LoRA, where it can and there are some. */
  auditioning({ searched, count, at }) {
    const { t, host, guard, say } = this.context;
    const [{ text, without, like }, { image, sketch }] = request(this.query);
    const isAsking = text.length + image.length + sketch.length > 0 && !like.length;
    const some = Array.from({ length: Math.min(count, 8) }, (_, n) => at(n)).some((match) => match?.kind === "lora");
    if (!host.audition || !this.known.encoder?.ready || !searched || !isAsking || !some) return null;
    const run = () => guard(async () => say(await host.audition({ texts: text, without, pictures: { image, sketch }, say: t })));
    return button(t("audition"), { icon: "play", class: "ms-quiet", title: t("audition_hint"), onclick: run, dataset: { key: "audition" } });
  }

  /** A button that has those of the best generated from that are only guessed at. */
  measuring({ searched, count, at }) {
    const { t, api, guard, say, refresh } = this.context;
    const best = searched ? Array.from({ length: Math.min(count, GUESSES) }, (_, n) => at(n)) : [];
    const ids = best.filter((match) => match?.guessed).map(({ id }) => id);
    if (!ids.length || this.known.indexing?.active) return null;
    const run = () =>
      guard(async () => {
        await api.changeIndexing({ action: "start", only: ids });
        say(t("measuring", { n: ids.length }));
        refresh();
      });
    return button(t("measure_now", { n: ids.length }), { icon: "play", class: "ms-quiet", title: t("measure_hint"), onclick: run, dataset: { key: "measure" } });
  }

  clearing() {
    return button(this.context.t("clear_all"), { icon: "close", class: "ms-quiet", onclick: () => this.clear() });
  }

  clear() {
    this.query.chips.forEach(release);
    this.change(cleared(this.query));
    this.input.focus();
  }

  notify(results) {
    if (this.known.encoder && !this.known.encoder.ready && results.searched) return this.offer();
    if (!results.count) return this.note("nothing_title", "nothing_text");
    if (results.searched && results.at(0).weak) return this.note("weak_title", "weak_text");
    if (results.searched && this.query.varied && results.at(results.count - 1).weak) return this.note("unvaried_title", "unvaried_text");
    this.notice.hidden = true;
    return undefined;
  }

  /** Names and tags were searched, as nothing has looked at the models yet. */
  offer() {
    const { t, show } = this.context;
    this.notice.hidden = false;
    const go = button(t("encoder_get", { n: this.known.encoder.megabytes }), { icon: "insert", onclick: () => show("index") });
    fill(this.notice, icon("words"), h("div", {}, h("b", { text: t("words_only") }), h("p", { text: t("encoder_text") }), go));
  }

  note(title, text) {
    const { t } = this.context;
    this.notice.hidden = false;
    fill(this.notice, icon("warn"), h("div", {}, h("b", { text: t(title) }), h("p", { text: t(text) })));
  }

  showNamed(models) {
    const { t } = this.context;
    this.named.hidden = !models.length;
    if (models.length) fill(this.named, h("h3", { text: t("named") }), strip(models, this.context));
  }

  failed(error) {
    const { t } = this.context;
    this.results = { count: 0, at: () => null, named: [], searched: false };
    this.grid.reset(0);
    this.summary.replaceChildren();
    this.named.hidden = true;
    if (error.more?.empty && this.known.indexing.active) return this.note("begun_title", "begun_text");
    this.notice.hidden = false;
    const refused = error.status === 400; // asking again would change nothing
    const retry = !refused && button(t("retry"), { icon: "retry", onclick: () => this.run() });
    const title = t(refused ? "refused_title" : "error_title");
    const text = h("div", {}, h("b", { text: title }), h("p", { text: error.message || t("error_offline") }), retry);
    fill(this.notice, icon("warn"), text);
    return undefined;
  }

  /** Nothing is indexed: says what to do. */
  empty() {
    const { t, show } = this.context;
    this.grid.reset(0);
    this.named.hidden = true;
    this.hint.hidden = true;
    this.filters.element.hidden = true;
    this.summary.replaceChildren();
    this.notice.hidden = false;
    const go = button(t("empty_action"), { icon: "stack", class: "ms-primary", onclick: () => show("index") });
    fill(
      this.notice,
      h("div", { class: "ms-empty" }, icon("similar"), h("b", { text: t("empty_title") }), h("p", { text: t("empty_text") }), go),
    );
  }

  /** The model that stands `step` places from one in the list. */
  neighbour(match, step) {
    for (let index = 0; index < this.results.count; index++) {
      if (this.results.at(index)?.id === match.id) return this.results.at(index + step) ?? null;
    }
    return null;
  }

  drawChips() {
    const { t } = this.context;
    const made = this.query.chips.map((each) => this.drawChip(each));
    const asking = asks(this.query);
    fill(this.chips, ...made, asking && this.adder("add_also", "add", false), asking && this.adder("add_not", "not", true));
    this.chips.setAttribute("aria-label", t("search"));
  }

  drawChip(each) {
    const { t } = this.context;
    const name = each.type === "like" ? t("like", { name: each.text }) : each.text ?? t(each.type === "sketch" ? "sketch" : "picture");
    const remove = button(t("remove", { name }), { icon: "close", shown: false, onclick: () => this.drop(each) });
    const turn = button(t(each.not ? "make_wanted" : "make_not"), { icon: each.not ? "not" : "add", shown: false, onclick: () => this.turn(each) });
    const picture = each.url && h("img", { src: each.url, alt: "" });
    const words = h("span", { class: "ms-chip-text", text: each.not ? `${t("not")} ${name}` : name });
    return h("div", { class: `ms-chip${each.not ? " ms-chip-not" : ""}`, role: "listitem" }, each.type !== "like" && turn, picture, words, remove);
  }

  drop(each) {
    release(each);
    this.change({ chips: this.query.chips.filter((other) => other !== each) });
    this.input.focus();
  }

  turn(each) {
    this.change({ chips: this.query.chips.map((other) => (other === each ? { ...each, not: !each.not } : other)) });
  }

  /** A button that becomes a field for another text. */
  adder(label, name, not) {
    const { t } = this.context;
    const made = button(t(label), { icon: name, class: "ms-adder", onclick: () => made.replaceWith(field) });
    const field = h("input", {
      class: "ms-chip-input",
      placeholder: t(not ? "not_hint" : "also_hint"),
      "aria-label": t(not ? "not_hint" : "also_hint"),
      onblur: () => this.write(field, not) || field.replaceWith(made),
      onkeydown: (event) => this.writeKey(event, field, not, made),
    });
    const observer = new MutationObserver(() => {
      if (!field.isConnected) return;
      field.focus();
      observer.disconnect();
    });
    observer.observe(this.chips, { childList: true });
    return made;
  }

  writeKey(event, field, not, made) {
    if (event.key === "Enter") this.write(field, not);
    else if (event.key === "Escape") {
      field.value = "";
      field.replaceWith(made);
      made.focus();
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  write(field, not) {
    const text = field.value.trim();
    field.value = "";
    if (text) this.add({ type: "text", text, not });
    return Boolean(text);
  }
}
