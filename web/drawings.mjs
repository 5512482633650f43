/** Before and after: line drawings, what the base makes of them, and what the model does. */

import { button, h } from "./elements.mjs";

/**
 * @param {any} model @param {any} context @param {{compared: boolean, searchBy: (url: string) => void}} options
 * @returns {HTMLElement[]} a tile for each drawing
 */
export function drawings(model, context, options) {
  return model.painted.map((number) => tile(model, number, context, options));
}

function tile(model, number, { t, api }, { compared, searchBy }) {
  const url = (part) => api.paintedUrl(model.id, part, number);
  const shot = (part, label) => h("div", { class: "ms-shot" }, h("img", { src: url(part), alt: t(label), loading: "lazy" }), h("small", { text: t(label) }));
  const base = compared && model.painted_by_base.includes(number);
  const tools = h("div", { class: "ms-quick" }, button(t("search_by_this"), { icon: "search", shown: false, onclick: () => searchBy(url("output")) }));
  const shots = h("div", { class: "ms-shots" }, shot("drawing", "drawing"), base && shot("base", "base"), shot("output", "this_model"));
  return h("figure", { class: "ms-sample", tabIndex: 0 }, shots, tools);
}
