/** How far the index can be trusted: its own pictures, held out and searched for. */

import { button, fill, h } from "./elements.mjs";

const BUSY = 800; // milliseconds between two looks at a check that runs
const SHOWN = 12; // models that want something done, until all are asked for
const FINE = ["usually", "found"];

/**
 * @typedef {{id: string, name: string, samples: number, top1: number | null, verdict: string, advised_samples: number | null,
 *   mistaken_for: {id: string, name: string, times: number}[], advice: string}} Checked
 */

export class CheckView {
  constructor(context) {
    this.context = context;
    this.element = h("section", { class: "ms-block ms-check" });
    this.all = false;
  }

  /** Shows how things stand; asks again while a check runs. */
  async load() {
    clearTimeout(this.timer);
    this.draw(await this.context.api.check());
  }

  destroy() {
    clearTimeout(this.timer);
  }

  async start() {
    await this.context.guard(async () => this.draw(await this.context.api.startCheck()));
    this.element.querySelector("button")?.focus();
  }

  draw(state) {
    const { t, announce } = this.context;
    if (this.state === "running" && state.state !== "running") announce(t(state.state === "done" ? "check_done" : "check_failed"));
    this.state = state.state;
    const running = state.state === "running";
    const begin = button(t(state.state === "done" ? "check_again" : "check_start"), { icon: "check", disabled: running, onclick: () => this.start(), dataset: { key: "check" } });
    fill(
      this.element,
      h("h3", { text: t("check_title") }),
      h("p", { class: "ms-facts", text: t("check_text") }),
      running && h("progress", { class: "ms-progress", max: state.total || undefined, value: state.total ? state.done : undefined, "aria-label": t("check_title") }),
      state.message && h("p", { class: "ms-failure", text: state.message }),
      ...(state.result ? this.found(state.result) : []),
      h("div", { class: "ms-actions" }, begin),
    );
    if (running && this.element.isConnected) this.timer = setTimeout(() => this.context.guard(() => this.load()), BUSY);
  }

  found(result) {
    const { t } = this.context;
    const percent = (share) => Math.round(share * 100);
    const [first] = result.methods;
    const numbers = { top1: percent(first.top1), top5: percent(first.top5), chance: (100 * result.chance.top1).toFixed(1), half: percent(result.top1_of_half) };
    const wanting = result.models.filter(({ verdict }) => !FINE.includes(verdict)).slice(0, SHOWN);
    const shown = this.all ? result.models : wanting;
    const more = () => {
      this.all = true;
      this.context.guard(() => this.load());
    };
    return [
      h("p", { class: "ms-check-sum", text: t("check_sum", numbers) }),
      h("p", { class: "ms-facts", text: t("check_half", numbers) }),
      shown.length > 0 && this.table(shown),
      shown.length < result.models.length && button(t("check_rest", { n: result.models.length }), { class: "ms-check-more", onclick: more }),
    ];
  }

  /** @param {Checked[]} models */
  table(models) {
    const { t } = this.context;
    const heads = ["check_model", "check_first", "check_verdict"].map((key) => h("th", { scope: "col", text: t(key) }));
    return h("table", { class: "ms-check-table" }, h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...models.map((model) => this.row(model))));
  }

  /** @param {Checked} model */
  row(model) {
    const { t } = this.context;
    const name = h("button", { type: "button", class: "ms-link", text: model.name, title: model.name, onclick: () => this.open(model) });
    const instead = model.mistaken_for.slice(0, 2).map((other) => `${other.name} (${other.times})`);
    const n = model.advised_samples;
    return h(
      "tr",
      {},
      h("th", { scope: "row" }, name),
      h("td", { text: model.top1 === null ? "–" : `${Math.round(model.top1 * 100)} %` }),
      h(
        "td",
        {},
        h("span", { class: `ms-verdict ms-verdict-${model.verdict}`, text: t(`verdict_${model.verdict}`), title: model.advice }),
        instead.length > 0 && !FINE.includes(model.verdict) && h("small", { text: t("check_instead", { names: instead.join(", ") }) }),
        n && button(t("check_more", { n }), { icon: "retry", onclick: () => this.index(model, n) }),
      ),
    );
  }

  async open(model) {
    const found = await this.context.guard(() => this.context.api.model(model.id));
    if (found) this.context.open(found);
  }

  async index(model, samples) {
    await this.context.guard(() => this.context.api.changeIndexing({ action: "retry", only: [model.id], samples }));
    this.context.refresh();
  }
}
