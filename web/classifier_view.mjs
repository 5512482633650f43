/** Detectors, taggers and classifiers: searched by what their outputs tell, and shown output by output. */

import { copyText } from "./actions.mjs";
import { classifierPage } from "./classifier_page.mjs";
import { button, debounced, fill, h, icon } from "./elements.mjs";
import { fileName, outputCard } from "./output_cards.mjs";

const TYPING = 280; // milliseconds after the last key
const ANSWERS = 40;
const BUSY = 800; // milliseconds between two looks while files are asked
const FEW = 500; // probe pictures below which answers are coarse

export class ClassifierView {
  constructor(context) {
    this.context = context;
    this.kind = "";
    /** @type {Blob[]} */
    this.pictures = [];
    this.typed = debounced(() => this.run(), TYPING);
    this.element = this.build();
  }

  build() {
    const { t } = this.context;
    this.input = h("input", {
      type: "search",
      class: "ms-input",
      placeholder: t("tells_describe"),
      "aria-label": t("tells_label"),
      autocomplete: "off",
      spellcheck: "false",
      oninput: () => this.typed(),
      onkeydown: (event) => event.key === "Enter" && this.run(),
    });
    this.file = h("input", { type: "file", accept: "image/*", multiple: true, hidden: true, onchange: () => this.chosen() });
    const picture = button(t("add_picture"), { icon: "image", shown: false, onclick: () => this.file.click() });
    const box = h("div", { class: "ms-box", role: "search" }, icon("search"), this.input, picture, this.file);
    this.chips = h("div", { class: "ms-chips", role: "list" });
    this.kinds = h("div", { class: "ms-kinds", role: "group", "aria-label": t("kind") });
    this.job = h("div", { class: "ms-asking" });
    this.summary = h("div", { class: "ms-summary" });
    this.answer = h("div", { class: "ms-answer" });
    this.head = h("div", { class: "ms-head" }, box);
    this.search = h("div", {}, h("div", { class: "ms-below" }, this.chips, h("div", { class: "ms-filters" }, this.kinds, this.job)), this.summary, this.answer);
    this.page = h("div", { class: "ms-classifier", hidden: true });
    const scroller = h("div", { class: "ms-scroll" }, this.head, this.search, this.page);
    return h("div", { class: "ms-view ms-classifier-view", role: "tabpanel", hidden: true, onkeydown: (event) => this.key(event) }, scroller);
  }

  /** What there is; asks again while files are asked. */
  async load() {
    clearTimeout(this.timer);
    const known = await this.context.api.classifiers();
    const changed = known.set !== this.known?.set || known.outputs !== this.known?.outputs;
    this.known = known;
    this.drawKinds();
    this.drawJob(known.job);
    if (changed) await this.run();
    if (known.job.state === "running" && this.element.isConnected) {
      this.timer = setTimeout(() => this.context.guard(() => this.load()), BUSY);
    }
  }

  destroy() {
    clearTimeout(this.timer);
    this.stop?.abort();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  key(event) {
    if (event.key !== "Escape") return;
    if (!this.page.hidden) this.back();
    else if (this.input.value) this.ask("");
    else return;
    event.stopPropagation();
  }

  /** @param {string} text */
  ask(text) {
    this.back();
    this.input.value = text;
    this.run();
  }

  addPicture(file) {
    this.back();
    this.pictures.push(file);
    this.run();
  }

  chosen() {
    this.pictures.push(...this.file.files);
    this.file.value = "";
    this.run();
  }

  /** Searches, or without a question lists all files. */
  async run() {
    if (!this.known) return;
    this.drawChips();
    this.stop?.abort();
    const stop = new AbortController();
    this.stop = stop;
    const text = this.input.value.trim();
    if (!this.known.models.length) this.showNothing();
    else if (!text && !this.pictures.length) this.showFiles();
    else {
      const body = { text: text ? [text] : [], k: ANSWERS, ...(this.kind ? { kind: this.kind } : {}) };
      const found = await this.context.guard(() => this.context.api.searchClassifiers(body, { image: this.pictures }, stop.signal));
      if (found && !stop.signal.aborted) this.showMatches(found);
    }
  }

  probe(set) {
    return (number) => this.context.api.probeUrl(number, set);
  }

  // what is shown

  showNothing() {
    const { t } = this.context;
    const can = this.known.job.folders.length > 0;
    const text = h("div", { class: "ms-empty" }, icon("target"), h("b", { text: t("tells_none_title") }), h("p", { text: t("tells_none_text") }));
    text.append(can ? this.askButton("ms-primary") : h("p", { text: t("tells_none_folder") }));
    this.summary.replaceChildren();
    fill(this.answer, h("div", { class: "ms-notice" }, text));
  }

  showFiles() {
    const { t } = this.context;
    const { models, outputs, probes } = this.known;
    const shown = models.filter(({ kind }) => !this.kind || kind === this.kind);
    fill(this.summary, h("span", { text: t("tells_all", { n: models.length, outputs, probes }) }), this.trustButton());
    fill(this.answer, probes < FEW && this.few(), h("ul", { class: "ms-files", "aria-label": t("tells") }, ...shown.map((model) => this.fileRow(model))));
  }

  /** Asks for the labels that files carry, without reading them; says how many find their output. */
  trustButton() {
    const { t, guard, api } = this.context;
    const ask = button(t("tells_trust"), { icon: "check", class: "ms-quiet", title: t("tells_trust_hint"), dataset: { key: "trust" }, onclick: () => press() });
    const press = async () => {
      ask.disabled = true;
      const found = await guard(() => api.classifierTrust());
      ask.disabled = false;
      if (found) ask.replaceWith(h("span", { class: "ms-trust", title: t("tells_trust_hint"), text: t("tells_trusted", percents(found)) }));
    };
    return ask;
  }

  few() {
    return h("div", { class: "ms-notice" }, icon("warn"), h("p", { text: this.context.t("tells_few", { probes: this.known.probes }) }));
  }

  fileRow(model) {
    const { t } = this.context;
    const meta = h(
      "span",
      { class: "ms-meta" },
      h("span", { text: t(model.kind) }),
      h("span", { text: model.outputs === 1 ? t("tells_one_output") : t("tells_outputs", { n: model.outputs }) }),
      model.evidence !== "responses" && h("span", { class: "ms-evidence-metadata", text: t("tells_labels"), title: t("tells_labels_hint") }),
    );
    const open = h("button", { type: "button", class: "ms-file", title: model.path, onclick: () => this.open(model) }, h("b", { text: fileName(model) }), meta, model.note && h("small", { text: model.note }));
    return h("li", {}, open, this.copyButton(model));
  }

  showMatches({ matches, set }) {
    const { t, announce } = this.context;
    const [best] = matches;
    fill(this.summary, h("span", { text: t("tells_best", { n: matches.length }) }));
    const weak = best?.weak && h("div", { class: "ms-notice" }, icon("warn"), h("div", {}, h("b", { text: t("weak_title") }), h("p", { text: t("weak_text") })));
    const cards = matches.map((match) =>
      outputCard(match, this.context, { probe: this.probe(set), probes: this.known.probes, open: () => this.open(match), actions: this.actions(match) }),
    );
    fill(this.answer, weak, h("div", { class: "ms-outputs", role: "list" }, ...cards));
    if (best) announce(t("tells_announced", { n: matches.length, label: best.label ?? String(best.output), name: fileName(best) }));
  }

  /** What the host lends, and copying the name. */
  actions(match) {
    const { t, host, guard, say } = this.context;
    const lent = (host.classifierActions ?? [])
      .filter((action) => action.can(match))
      .map((action) => ({ ...action, run: () => guard(async () => say(await action.run(match))) }));
    return [...lent, { id: "copyName", label: t("tells_copy_name"), icon: "copy", run: () => copyText(fileName(match), this.context) }];
  }

  copyButton(model) {
    return button(this.context.t("tells_copy_name"), { icon: "copy", shown: false, class: "ms-quiet", onclick: () => copyText(fileName(model), this.context), dataset: { action: "copyName" } });
  }

  /** What each output of a file is. @param {{id: string}} model */
  async open(model) {
    const told = await this.context.guard(() => this.context.api.classifier(model.id));
    if (!told) return;
    const back = button(this.context.t("tells_back"), { icon: "back", onclick: () => this.back() });
    const chosen = "output" in model ? model.output : null;
    fill(
      this.page,
      back,
      ...classifierPage(told, this.context, { probe: this.probe(told.set), chosen, actions: this.actions(told), ask: (text) => this.ask(text) }),
    );
    this.turn(true);
    (this.page.querySelector("[aria-current]") ?? this.element.querySelector(".ms-scroll")).scrollIntoView({ block: "nearest" });
    back.focus();
  }

  back() {
    if (this.page.hidden) return;
    this.turn(false);
    this.page.replaceChildren();
    this.input.focus();
  }

  turn(toPage) {
    this.page.hidden = !toPage;
    this.search.hidden = this.head.hidden = toPage;
  }

  // what is asked, and how asking stands

  drawKinds() {
    const { t } = this.context;
    const count = (kind) => this.known.models.filter((model) => model.kind === kind).length;
    const one = (kind, label, n) =>
      h("button", { type: "button", class: "ms-kind", "aria-pressed": String(kind === this.kind), dataset: { kind }, onclick: () => this.choose(kind) }, h("span", { text: label }), n !== undefined && h("small", { text: String(n) }));
    this.kinds.hidden = !count("detector") || !count("classifier");
    fill(this.kinds, one("", t("tells_any")), one("detector", t("tells_detectors"), count("detector")), one("classifier", t("tells_classifiers"), count("classifier")));
  }

  choose(kind) {
    this.kind = kind;
    this.drawKinds();
    this.run();
  }

  drawChips() {
    const { t } = this.context;
    const chips = this.pictures.map((picture) => {
      const url = URL.createObjectURL(picture);
      const image = h("img", { src: url, alt: t("picture"), onload: () => URL.revokeObjectURL(url) });
      const remove = button(t("remove", { name: t("picture") }), { icon: "close", shown: false, onclick: () => this.remove(picture) });
      return h("div", { class: "ms-chip", role: "listitem" }, image, remove);
    });
    fill(this.chips, ...chips);
  }

  remove(picture) {
    this.pictures = this.pictures.filter((each) => each !== picture);
    this.run();
  }

  drawJob(job) {
    const { t, announce } = this.context;
    const running = job.state === "running";
    if (this.was === "running" && job.state === "done") announce(t("tells_asked", job.report));
    this.was = job.state;
    const failed = Object.values(job.report?.failed ?? {});
    fill(
      this.job,
      job.folders.length > 0 && this.known.models.length + Number(running) > 0 && this.askButton("", running),
      running && h("span", { class: "ms-facts", text: this.stage(job) }),
      job.message && h("span", { class: "ms-failure", text: job.message }),
      failed.length > 0 && h("span", { class: "ms-failure", text: t("tells_failed", { n: failed.length, reason: failed[0] }) }),
    );
  }

  stage({ stage, model, done, total }) {
    const { t } = this.context;
    if (stage === "scan") return t("tells_scan");
    return stage === "probes" ? `${t("tells_choosing")} ${done}` : `${t("tells_asking", { model })} ${total ? `(${t("of", { done, total })})` : ""}`;
  }

  askButton(extra, disabled = false) {
    return button(this.context.t("tells_ask"), { icon: "retry", class: extra, disabled, onclick: () => this.askNew(), dataset: { key: "ask" } });
  }

  async askNew() {
    await this.context.guard(() => this.context.api.askClassifiers());
    await this.context.guard(() => this.load());
  }
}

function percents({ asked, outputs, top1, top5 }) {
  return { asked, outputs, first: Math.round(100 * top1), five: Math.round(100 * top5) };
}
