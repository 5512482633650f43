/** One detector, tagger or classifier: what each of its outputs is, in its own words, in CLIP's, in pictures. */

import { button, h } from "./elements.mjs";
import { fileName, pictures, which } from "./output_cards.mjs";

/**
 * @param {any} model as `GET classifiers/{id}` describes it
 * @param {{t: Function}} context
 * @param {{probe: (number: number) => string, chosen: number | null, actions: any[], ask: (text: string) => void}} shown
 */
export function classifierPage(model, { t }, { probe, chosen, actions, ask }) {
  const rest = model.outputs - model.each.length;
  return [
    h("h2", { text: fileName(model) }),
    h(
      "div",
      { class: "ms-meta" },
      h("span", { text: t(model.kind) }),
      h("span", { text: model.form }),
      h("span", { text: model.outputs === 1 ? t("tells_one_output") : t("tells_outputs", { n: model.outputs }) }),
      model.agreement !== null && h("span", { text: t("tells_agreement", { n: Math.round(100 * model.agreement) }) }),
    ),
    h("div", { class: "ms-path", text: model.path }),
    model.note && h("p", { class: "ms-failure", text: model.note }),
    h(
      "div",
      { class: "ms-actions" },
      ...actions.map((action) => button(action.label, { icon: action.icon, class: action.primary ? "ms-primary" : "", onclick: action.run, dataset: { action: action.id } })),
    ),
    h("ul", { class: "ms-each" }, ...model.each.map((output) => row(output, t, probe, ask, output.output === chosen))),
    rest > 0 && h("p", { class: "ms-facts", text: t("tells_more", { n: rest }) }),
  ];
}

function row(output, t, probe, ask, current) {
  const label = output.label && h("button", { type: "button", class: "ms-link", text: output.label, title: t("tells_search_label", { label: output.label }), onclick: () => ask(output.label) });
  return h(
    "li",
    { "aria-current": current ? "true" : null },
    h(
      "div",
      { class: "ms-each-text" },
      h("b", {}, label || which(output, t)),
      label && h("small", { text: which(output, t) }),
      output.seems.length > 0 && h("span", { text: t("tells_seems", { words: output.seems.join(", ") }) }),
    ),
    pictures(output.probes, probe, t),
  );
}
