/** Why a model stands where it does: what each input added, which samples are nearest, how scores were read. */

import { h } from "./elements.mjs";

const LEAST = 3; // standard deviations that a full bar stands for, at least

/**
 * @param {import("./api.mjs").Match & {score?: number, explanation: Part[]}} model
 * @param {{t: Function, api: import("./api.mjs").Api}} context
 * @typedef {{label: string, modality: string, weight: number, score: number | null, contribution: number,
 *   nearest: {number: number, cosine: number}[], methods: Reading[]}} Part
 * @typedef {{method: string, weight: number, score: number, median: number, spread: number, hub: number, z: number}} Reading
 */
export function explanation(model, context) {
  const { t } = context;
  const total = model.explanation.reduce((sum, part) => sum + part.contribution, 0);
  const most = Math.max(LEAST, ...model.explanation.map(({ contribution }) => Math.abs(contribution)));
  const parts = model.explanation.map((part) => one(part, most, model, context));
  return h("div", { class: "ms-whys" }, ...parts, h("p", { class: "ms-facts", text: t("why_text", { n: signed(total) }) }));
}

/** @param {Part} part */
function one(part, most, model, context) {
  const { t } = context;
  const { contribution, methods, nearest } = part;
  const bar = h(
    "div",
    { class: `ms-why${contribution < 0 ? " ms-against" : ""}`, style: { "--ms-part": `${(Math.abs(contribution) / most) * 100}%` } },
    h("span", { text: named(part, t) }),
    h("span", { class: "ms-why-bar" }),
    h("span", { text: signed(contribution) }),
  );
  const read = h("details", { class: "ms-read" }, h("summary", { text: t("why_details") }), ...methods.map((each) => reading(each, t)));
  return h(
    "div",
    { class: "ms-why-part" },
    bar,
    nearest.length > 0 && samples(nearest, model, context),
    methods.length > 0 ? read : h("p", { class: "ms-facts", text: t("why_unknown") }),
  );
}

/** Pictures are no words: the server's label of them is left to the log. */
function named({ label, modality, weight }, t) {
  const text = modality === "image" ? t("picture") : modality === "sketch" ? t("sketch") : modality === "model" ? t("like", { name: label }) : label;
  return weight < 0 ? `${t("not")} ${text}` : text;
}

function samples(nearest, model, { t, api }) {
  const prompts = new Map((model.samples_shown ?? []).map(({ number, prompt }) => [number, prompt]));
  const shot = ({ number, cosine }) =>
    h(
      "li",
      { title: prompts.get(number) ?? "" },
      h("img", { src: api.sampleUrl(model.id, number), alt: prompts.get(number) ?? "", loading: "lazy" }),
      h("small", { text: cosine.toFixed(2) }),
    );
  return h("ul", { class: "ms-nearest", "aria-label": t("why_nearest"), title: t("why_nearest") }, ...nearest.map(shot));
}

/** @param {Reading} each */
function reading({ method, score, median, spread, hub, z, weight }, t) {
  if (method === "usual") return h("p", {}, h("span", { class: "ms-read-method" }, h("span", { text: t("why_shift") }), h("span", { text: signed(z) })));
  const told = [t("why_usual", { median: figure(median), spread: figure(spread) })];
  if (Math.abs(hub) > 0.01 * spread) told.push(t("why_hub", { n: figure(hub) }));
  return h(
    "p",
    {},
    h("span", { class: "ms-read-method" }, h("b", { text: method.replaceAll("_", " ") }), h("span", { text: `${figure(score)} → ${signed(z)} × ${weight.toFixed(2)}` })),
    h("small", { text: told.join(" · ") }),
  );
}

function figure(value) {
  return Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(0);
}

function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)}`;
}
