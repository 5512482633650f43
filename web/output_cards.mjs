/** An output of a detector, tagger or classifier: the pictures that excite it most, which it is, how well it fits. */

import { relevance } from "./card.mjs";
import { button, h, icon } from "./elements.mjs";

/**
 * @typedef {{id: string, name: string, path: string, kind: string, output: number, turned: boolean, label: string | null,
 *   relevance: number, weak: boolean, evidence: string, probes: number[], threshold: number | null, unit: string | null,
 *   note: string, listed: {name?: string}}} OutputMatch  `listed`: what the host's own lists call the file
 */

const NO_NAME = /^(model|best|last)([._].*)?$/i; // what many files are called, so their folder says more

/** The file as lists call it: the host's own, or ADetailer's and the like, which show the file's name. */
export function fileName({ listed, path }) {
  const parts = path.split(/[\\/]/);
  return listed?.name ?? parts.slice(NO_NAME.test(parts.at(-1)) ? -2 : -1).join("/");
}

/** @param {OutputMatch} match @param {{probe: (number: number) => string, probes: number, open: () => void, actions: Action[]}} shown */
export function outputCard(match, { t }, { probe, probes, open, actions }) {
  const name = fileName(match);
  const element = h(
    "article",
    {
      class: `ms-output${match.weak ? " ms-weak" : ""}`,
      role: "listitem",
      tabIndex: 0,
      "aria-label": [match.label, which(match, t), name, t("relevance", { n: Math.round(match.relevance * 100) })].filter(Boolean).join(", "),
      dataset: { output: String(match.output) },
      onclick: (event) => event.target.closest("button") || open(),
      onkeydown: (event) => {
        if (event.target !== element || event.key !== "Enter") return;
        event.preventDefault();
        open();
      },
    },
    pictures(match.probes, probe, t, relevance(match, t)),
    h(
      "div",
      { class: "ms-output-text" },
      h("div", { class: "ms-name", text: match.label ?? which(match, t), title: match.label ?? undefined }),
      h("div", { class: "ms-output-file", text: name, title: match.path }),
      facts(match, probes, t),
      h("div", { class: "ms-output-actions" }, ...actions.map(small)),
    ),
  );
  return element;
}

/** @typedef {{id: string, label: string, icon: string, primary?: boolean, run: () => any}} Action */
function small(action) {
  return button(action.label, { icon: action.icon, shown: Boolean(action.primary), class: "ms-quiet", onclick: action.run, dataset: { action: action.id } });
}

/** Four pictures beside each other; of what was never asked, a sign. */
export function pictures(probes, probe, t, ...over) {
  const images = probes.map((number) => h("img", { src: probe(number), alt: "", loading: "lazy", decoding: "async", draggable: false }));
  const none = h("div", { class: "ms-no-picture" }, icon("words"), h("span", { text: t("tells_labels") }));
  return h("div", { class: "ms-excites", title: images.length ? t("tells_excites") : t("tells_labels_hint") }, ...(images.length ? images : [none]), ...over);
}

/** Its number; of a rater, which end. */
export function which({ output, turned }, t) {
  return t(turned ? "tells_low" : "tells_output", { n: output });
}

function facts(match, probes, t) {
  const asked = match.evidence === "responses";
  return h(
    "div",
    { class: "ms-meta" },
    h("span", { text: t(match.kind) }),
    match.label && h("span", { text: which(match, t) }),
    threshold(match, t),
    h("span", { class: asked ? "" : "ms-evidence-metadata", text: t(asked ? "tells_responses" : "tells_labels"), title: t(asked ? "tells_responses_hint" : "tells_labels_hint", { probes }) }),
  );
}

/** From which value on a picture probably shows it. */
function threshold({ threshold: from, unit }, t) {
  if (from === null) return null;
  const value = rounded(from);
  return h("span", { class: "ms-threshold", text: t("tells_from", { value }), title: t("tells_from_hint", { unit: t(`tells_unit_${unit}`) }) });
}

/** To two digits, or as many as tell what is all but 1 from 1. */
function rounded(value) {
  let digits = 2;
  while (value < 1 && Number(value.toPrecision(digits)) === 1 && digits < 8) digits++;
  return String(Number(value.toPrecision(digits)));
}
