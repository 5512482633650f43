/** How the index stands and grows: folders, progress, what failed and why. */

import { CheckView } from "./check_view.mjs";
import { button, fill, h, icon } from "./elements.mjs";

const STYLE = "modelsearch.style"; // in the browser's memory: whether drawings are painted too

export class IndexView {
  constructor(context) {
    this.context = context;
    this.now = h("section", { class: "ms-block ms-now" });
    this.known = h("section", { class: "ms-block", hidden: true });
    this.check = new CheckView(context);
    this.folders = h("section", { class: "ms-block" });
    this.troubles = h("section", { class: "ms-block ms-troubles" });
    this.element = h("div", { class: "ms-view ms-index-view", role: "tabpanel", hidden: true }, h("div", { class: "ms-scroll ms-page" }, this.now, this.known, this.check.element, this.folders, this.troubles));
  }

  async load() {
    this.show(await this.context.api.indexing());
    if (!this.answer.search_server) await this.check.load();
  }

  /** Whether LoRA shall paint drawings too; kept for the next time. */
  get style() {
    return Boolean(this.answer?.paints_drawings) && remembered(STYLE) === "yes";
  }

  set style(is) {
    remember(STYLE, is ? "yes" : "no");
  }

  /** Whether pictures that the user has made shall be looked at: as it was the last time, else where there are any. */
  get pictures() {
    return this.answer?.pictures?.on ?? true;
  }

  async change(body) {
    await this.context.guard(async () => this.show(await this.context.api.changeIndexing(body)));
    this.context.refresh();
  }

  show(answer) {
    this.answer = answer;
    this.drawFolders(answer.folders);
    this.drawTroubles(answer);
    if (this.status) this.drawKnown(this.status);
    this.progress(answer.progress, this.status);
  }

  progress(progress, status) {
    const ended = this.before?.active && !progress.active;
    const failed = (this.before?.failures ?? 0) !== progress.failures;
    this.before = progress;
    if (status) this.status = status;
    this.drawNow(progress);
    if (status) this.drawKnown(status);
    if (ended || failed) this.context.guard(() => this.load());
  }

  drawNow(progress) {
    const { t } = this.context;
    const key = JSON.stringify([progress, this.answer?.folders?.length, this.answer?.paints_drawings, this.answer?.pictures, this.answer?.forecast, this.answer?.search_server, this.status?.evidence, this.status?.models, this.status?.encoder]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.now.contains(document.activeElement) && document.activeElement.dataset.key;
    fill(this.now, ...(progress.active ? this.running(progress) : this.resting(progress)));
    (this.now.querySelector(`[data-key="${focused}"]`) ?? (focused && this.now.querySelector("button")))?.focus?.();
    if (progress.state === this.state) return;
    if (this.state) this.context.announce(t(progress.state === "failed" ? "run_failed" : progress.state));
    this.state = progress.state;
  }

  running(progress) {
    const { t } = this.context;
    const { done, total, stage, model, state, left, images } = progress;
    const title = state === "running" ? `${t("running")} · ${t(`stage_${stage || "start"}`)}` : t(state);
    const bar = h("progress", { class: "ms-progress", max: total || undefined, value: total ? done : undefined, "aria-label": title });
    const facts = [
      total && t("of", { done, total }),
      images > 0 && t("images_made", { n: images }),
      left !== null && state === "running" && t("time_left", { time: this.time(left) }),
    ];
    return [
      h("h2", { class: `ms-state ms-state-${state}`, text: title }),
      bar,
      h("p", { class: "ms-facts", text: facts.filter(Boolean).join(" · ") || "…" }),
      h("p", { class: "ms-current", text: model || "\u00a0" }),
      h("div", { class: "ms-actions" }, ...this.controls(state)),
    ];
  }

  controls(state) {
    const { t } = this.context;
    const act = (action, name, props = {}) => button(t(action), { icon: name, onclick: () => this.change({ action }), dataset: { key: action }, ...props });
    const held = state === "paused";
    return [
      held ? act("resume", "play", { class: "ms-primary" }) : act("pause", "pause", { disabled: state === "cancelling" }),
      act("cancel", "close", { disabled: state === "cancelling" }),
    ];
  }

  resting({ state, message, images, seconds }) {
    const { t } = this.context;
    const some = this.status?.models > 0;
    const ready = this.answer ? this.answer.folders.length > 0 : true;
    const start = (quick, key, extra, label = key) =>
      button(t(label), { icon: quick ? "words" : "play", class: extra, disabled: !ready, onclick: () => this.change({ action: "start", quick, style: this.style && !quick, ...this.looking(), ...(this.samples && !quick && { samples: this.samples }) }), dataset: { key } });
    return [
      h("h2", { class: `ms-state ms-state-${state}`, text: this.title(state, some) }),
      this.answer?.search_server && h("p", { class: "ms-facts ms-elsewhere", text: t("elsewhere", { address: this.answer.search_server }) }),
      message && h("p", { class: state === "done" ? "ms-facts" : "ms-failure", text: message }),
      images > 0 && h("p", { class: "ms-facts", text: [t("images_made", { n: images }), this.time(seconds)].join(" · ") }),
      !some && h("p", { class: "ms-facts", text: t("empty_text") }),
      this.answer?.pictures?.folders.length > 0 && this.picturesSwitch(),
      ready && this.answer?.paints_drawings && this.styleSwitch(),
      some && this.encoderLacks() && this.offer(),
      this.unseen() > 0 && this.answer?.forecast?.length > 0 && this.picturesOfEach(),
      h("div", { class: "ms-actions" }, start(false, some ? "update" : "start", "ms-primary", this.unseen() ? "start" : undefined), start(true, "quick", "")),
    ];
  }

  /** Whether nothing can be found by what it shows yet. */
  encoderLacks() {
    return this.status?.encoder && !this.status.encoder.ready;
  }

  /** CLIP alone: searches by meaning and by pictures, before anything is generated. */
  offer() {
    const { t } = this.context;
    const megabytes = this.status.encoder.megabytes;
    const get = () => this.change({ action: "start", quick: true, download: true, ...this.looking() });
    return h(
      "div",
      { class: "ms-offer" },
      h("p", { class: "ms-facts", text: t("encoder_text") }),
      button(t("encoder_get", { n: megabytes }), { icon: "insert", onclick: get, dataset: { key: "download" } }),
    );
  }

  /** What an order says of the user's pictures: nothing, where the host does not know where they lie. */
  looking() {
    return this.answer?.pictures?.folders.length ? { pictures: this.pictures } : {};
  }

  picturesSwitch() {
    const { t } = this.context;
    const { folders, told } = this.answer.pictures;
    const box = h("input", { type: "checkbox", class: "ms-switch", checked: this.pictures, onchange: () => (this.answer.pictures.on = box.checked), dataset: { key: "pictures" } });
    const found = told && t("pictures_told", { n: told.files, models: told.models });
    const others = told?.absent_pictures > 0 && t("pictures_absent", { n: told.absent_pictures, names: Object.keys(told.absent).slice(0, 3).join(", ") });
    const hint = [t("look_at_pictures_hint"), found, others].filter(Boolean).join(" ");
    const words = h("span", { title: folders.join("\n") }, h("b", { text: t("look_at_pictures") }), h("small", { text: hint }));
    return h("label", { class: "ms-option" }, box, words);
  }

  /** How many pictures of each model, with what all of them take here and what fewer cost in right answers. */
  picturesOfEach() {
    const { t } = this.context;
    const said = ({ pictures, seconds, found }) =>
      [pictures ? t("n_pictures", { n: pictures }) : t("as_many_as_needed"), seconds && t("takes_time", { time: this.time(seconds) }), found && found < 1 && t("finds_share", { n: Math.round(100 * found) })].filter(Boolean).join(" · ");
    const choose = () => (this.samples = Number(list.value) || null);
    const list = h("select", { class: "ms-select", onchange: choose, dataset: { key: "samples" } }, ...this.answer.forecast.map((each) => h("option", { value: String(each.pictures ?? ""), text: said(each), selected: (each.pictures ?? null) === (this.samples ?? null) })));
    const unknown = this.answer.forecast.every(({ seconds }) => !seconds);
    return h("label", { class: "ms-pictures-each" }, h("b", { text: t("pictures_each") }), list, unknown && h("small", { text: t("time_unknown") }));
  }

  styleSwitch() {
    const { t } = this.context;
    const box = h("input", { type: "checkbox", class: "ms-switch", checked: this.style, onchange: () => (this.style = box.checked), dataset: { key: "style" } });
    const words = h("span", {}, h("b", { text: t("paint_drawings") }), h("small", { text: t("paint_drawings_hint") }));
    return h("label", { class: "ms-option" }, box, words);
  }

  title(state, some) {
    const { t } = this.context;
    if (state === "failed") return t("run_failed");
    if (state === "cancelled") return t("cancelled");
    if (some && this.unseen()) return this.unseen() === 1 ? t("one_unseen") : t("unseen", { n: this.unseen() });
    return some ? t("done") : t("empty_title");
  }

  /** How many models nothing was generated from yet, those that failed left out. */
  unseen() {
    const { models = 0, evidence = {}, kinds = {}, failed = 0 } = this.status ?? {};
    return Math.max(0, models - (evidence.generated ?? 0) - (kinds.pictures ?? 0) - failed);
  }

  count(n) {
    return n === 1 ? this.context.t("one_failure") : this.context.t("failures", { n });
  }

  time(seconds) {
    const { t } = this.context;
    if (seconds < 90) return t("seconds", { n: Math.max(1, Math.round(seconds)) });
    return seconds < 5400 ? t("minutes", { n: Math.round(seconds / 60) }) : t("hours", { n: (seconds / 3600).toFixed(1) });
  }

  drawKnown({ models, evidence }) {
    const { t } = this.context;
    this.known.hidden = !models;
    const elsewhere = this.answer?.search_server; // that machine's index is checked and written from there
    this.check.element.hidden = models < 2 || Boolean(elsewhere);
    if (!models) return;
    const levels = Object.keys(evidence);
    const part = (level) => h("span", { class: `ms-part ms-part-${level}`, style: { "flex-grow": String(evidence[level]) } });
    const legend = (level) => h("li", {}, h("span", { class: `ms-dot ms-part-${level}` }), h("b", { text: String(evidence[level]) }), h("span", { text: t(level) }));
    fill(
      this.known,
      h("h3", { text: t("what_is_known", { n: models }) }),
      h("div", { class: "ms-parts", "aria-hidden": "true" }, ...levels.map(part)),
      h("ul", { class: "ms-legend" }, ...levels.map(legend)),
      this.answer?.costs?.length > 0 && h("p", { class: "ms-facts ms-costs", text: t("costs", { list: this.costs() }) }),
      evidence.generated > 0 && !elsewhere && h("div", { class: "ms-actions" }, this.previewing()),
    );
  }

  /** What a picture takes of each family that waits. */
  costs() {
    return this.answer.costs.map(({ family, takes }) => `${family} ${takes.toLocaleString()}\u00a0×`).join(", ");
  }

  /** Asks how many models have no preview; pressed again, writes them. */
  previewing() {
    const { t, api, guard, say } = this.context;
    const made = button(t("write_previews"), {
      icon: "save",
      dataset: { key: "previews" },
      onclick: () =>
        guard(async () => {
          if (this.lacking) {
            const { saved, failed } = await api.savePreviews(false);
            this.lacking = 0;
            say(t("previews_written", { n: saved }));
            if (failed.length) say(failed[0], "error");
          } else {
            this.lacking = (await api.savePreviews(true)).missing;
            if (!this.lacking) say(t("previews_there"));
          }
          label();
        }),
    });
    const label = () => (made.querySelector("span").textContent = this.lacking ? t("write_n_previews", { n: this.lacking }) : t("write_previews"));
    label();
    return made;
  }

  drawFolders(folders) {
    const { t, host } = this.context;
    const own = this.status?.may_change_folders ?? false;
    if (this.folders.contains(document.activeElement) && document.activeElement.matches("input")) return;
    const paths = folders.map((folder) => folder.path);
    const row = ({ path, label, there }) =>
      h(
        "li",
        { class: there ? "" : "ms-missing" },
        icon("folder"),
        h("span", { class: "ms-path", text: label ? `${label} — ${path}` : path }),
        !there && h("small", { text: t("missing") }),
        own && button(t("remove_folder", { name: path }), { icon: "close", shown: false, onclick: () => this.setFolders(paths.filter((each) => each !== path)) }),
      );
    fill(
      this.folders,
      h("h3", { text: t("where_title") }),
      h("p", { class: "ms-facts", text: own ? t("where_text") : t("where_host", { host: t(`host_${host.name}`) }) }),
      h("ul", { class: "ms-folders" }, ...folders.map(row)),
      own && this.adder(paths),
    );
  }

  adder(paths) {
    const { t, host } = this.context;
    const field = h("input", { class: "ms-input", placeholder: t("folder_path"), "aria-label": t("folder_path"), spellcheck: "false" });
    const add = (path) => path?.trim() && this.setFolders([...paths, path.trim()], field);
    const pick = host.pickFolder && button(t("add_folder"), { icon: "folder", shown: false, onclick: async () => add(await host.pickFolder()) });
    const submit = (event) => {
      event.preventDefault();
      add(field.value);
    };
    return h("form", { class: "ms-add-folder", onsubmit: submit }, field, pick, button(t("add_folder"), { icon: "add", type: "submit" }));
  }

  async setFolders(folders, field) {
    field?.blur();
    await this.change({ action: "folders", folders });
    if (field?.isConnected) field.focus();
  }

  drawTroubles({ failures, skipped, skipped_total: total }) {
    const { t } = this.context;
    const row = ({ id, name, path, reason }) =>
      h(
        "li",
        {},
        h("div", {}, h("b", { text: name, title: path }), h("p", { text: reason })),
        button(t("retry_one"), { icon: "retry", onclick: () => this.change({ action: "retry", only: [id], style: this.style }) }),
      );
    const again = failures.length > 1 && button(t("retry_all"), { icon: "retry", onclick: () => this.change({ action: "retry", only: failures.map(({ id }) => id), style: this.style }) });
    const others = h("details", {}, h("summary", { text: total === 1 ? t("one_skipped") : t("skipped", { n: total }) }), h("ul", { class: "ms-skipped" }, ...skipped.map(({ path, reason }) => h("li", {}, h("span", { class: "ms-path", text: path }), h("p", { text: reason })))));
    this.troubles.hidden = !failures.length && !total;
    fill(
      this.troubles,
      failures.length > 0 && h("div", { class: "ms-troubles-head" }, h("h3", { text: this.count(failures.length) }), again),
      failures.length > 0 && h("ul", { class: "ms-failures" }, ...failures.map(row)),
      total > 0 && others,
    );
  }
}

/** A browser may forbid its memory to a page. */
function remembered(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(name, value);
  } catch {
    // then it is asked again next time
  }
}
