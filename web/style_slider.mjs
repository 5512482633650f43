/** What pictures ask for: from the same subject to the same style. In the middle the index decides. */

import { h } from "./elements.mjs";
import { MIDDLE, shows } from "./query.mjs";

const STEP = 0.05;
const SNAP = 0.04; // so near the middle is the middle

export class StyleSlider {
  /** @param {any} context @param {import("./query.mjs").Query} query @param {() => void} changed */
  constructor({ t }, query, changed) {
    this.t = t;
    this.query = query;
    this.range = h("input", {
      type: "range",
      class: "ms-range",
      min: "0",
      max: "1",
      step: String(STEP),
      "aria-label": t("style_label"),
      oninput: () => this.draw(this.read()),
      onchange: () => {
        this.query.style = this.read();
        this.show();
        changed();
      },
      ondblclick: () => {
        this.range.value = String(MIDDLE);
        this.range.dispatchEvent(new Event("change"));
      },
    });
    const ends = [h("span", { text: t("same_subject") }), this.range, h("span", { text: t("same_style") })];
    this.element = h("label", { class: "ms-style", title: t("style_hint"), hidden: true }, ...ends);
    this.show();
  }

  read() {
    const value = Number(this.range.value);
    return Math.abs(value - MIDDLE) < SNAP ? MIDDLE : value;
  }

  show() {
    this.element.hidden = !shows(this.query);
    this.range.value = String(this.query.style);
    this.draw(this.query.style);
  }

  draw(value) {
    const said = value === MIDDLE ? this.t("style_middle") : this.t("style_share", { n: Math.round(100 * value) });
    this.range.setAttribute("aria-valuetext", said);
    this.element.classList.toggle("ms-set", value !== MIDDLE);
  }
}
