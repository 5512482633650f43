/** A model as a card: its own pictures first, then what it is and how well it fits. */

import { carry } from "./card_drag.mjs";
import { button, fill, h, icon } from "./elements.mjs";

const TEXT_HEIGHT = 86; // of the card, below the pictures
const GAP = 14;

/** How cards share a width: one hero picture, two beside it, so pictures are 3 : 2. */
export function cardSize(width) {
  const narrow = width < 420;
  const gap = narrow ? 10 : GAP;
  const columns = narrow ? 1 : Math.max(2, Math.floor((width + gap) / (250 + gap)));
  const each = (width - gap * (columns - 1)) / columns;
  return { columns, gap, height: Math.round((each * 2) / 3) + TEXT_HEIGHT };
}

/**
 * @param {import("./api.mjs").Match | null} match null while it is being loaded
 * @param {{t: Function, api: import("./api.mjs").Api, host?: import("./panel.mjs").PanelHost, actions: (match: any) => Action[], open: (match: any) => void}} context
 */
export function card(match, context) {
  if (!match) return h("div", { class: "ms-card ms-loading" }, h("div", { class: "ms-pictures" }));
  const { t } = context;
  const element = h(
    "div",
    {
      class: `ms-card${match.weak ? " ms-weak" : ""}`,
      "aria-label": spoken(match, t),
      draggable: context.host?.dragsCards && match.listed?.name ? "true" : null,
      ondragstart: (event) => carry(event, match),
      onclick: (event) => event.target.closest("button") || context.open(match),
      onkeydown: (event) => {
        if (event.target !== element || event.key !== "Enter") return;
        event.preventDefault(); // or the key would press what gets the focus
        context.open(match);
      },
    },
    pictures(match, context),
    h(
      "div",
      { class: "ms-card-text" },
      h("div", { class: "ms-name", text: match.name, title: match.path }),
      meta(match, t),
      match.trigger_words.length ? words(match) : folder(match),
    ),
  );
  const quick = quickActions(match, context);
  element.append(quick);
  element.addEventListener("pointerenter", () => quick.replaceChildren(...quickActions(match, context).children)); // what a host can do changes
  return element;
}

function pictures(match, { api, t }) {
  const shown = match.thumbnails.slice(0, 3);
  const image = (number) =>
    h("img", { src: api.pictureUrl(match, number), alt: "", loading: "lazy", decoding: "async", draggable: false });
  const box = h("div", { class: `ms-pictures ms-pictures-${shown.length}` }, ...shown.map(image));
  if (!shown.length) box.append(h("div", { class: "ms-no-picture" }, icon("words"), h("span", { text: t("no_pictures") })));
  if (match.relevance !== undefined) box.append(relevance(match, t));
  if (match.rank === 1) box.append(sureness(match, t));
  return box;
}

/** How sure it is that this is the one that is meant. */
export function sureness(match, t) {
  const n = Math.round(match.confidence * 100);
  return h("span", { class: "ms-sure", text: t("sure", { n }), title: t("sure_hint", { n }) });
}

/** A pill with a ring that fills up. */
export function relevance(match, t) {
  const percent = Math.round(match.relevance * 100);
  const label = t("relevance", { n: percent });
  return h(
    "span",
    { class: "ms-relevance", title: match.weak ? t("weak_hint") : label, style: { "--ms-part": `${percent}%` } },
    h("span", { class: "ms-ring", "aria-hidden": "true" }),
    h("span", { text: match.weak ? `${percent} · ${t("weak")}` : String(percent), "aria-label": label }),
  );
}

/** A kind's word; a set of pictures is called otherwise than the evidence "pictures". */
export function kindWord(kind) {
  return kind === "pictures" ? "picture_set" : kind;
}

/** Kind, base and what the judgement rests on. */
export function meta(match, t) {
  const evidence = match.evidence ?? "nothing";
  const seen = match.thumbnails.length ? "image" : "words";
  return h(
    "div",
    { class: "ms-meta" },
    h("span", { text: t(kindWord(match.kind)) }),
    match.architecture !== "unknown" && h("span", { text: family(match) }),
    h(
      "span",
      { class: `ms-evidence ms-evidence-${evidence}`, title: hint(match, evidence, t) },
      icon(match.evidence ? seen : "warn"),
      h("span", { text: t(evidence) }),
    ),
  );
}

/** What the judgement rests on, with pictures of the user's that count beside those that were made for it. */
function hint({ samples, users_pictures = 0 }, evidence, t) {
  if (samples === undefined) return t(evidence); // a match of a search server of an earlier version
  const own = t(`${evidence}_hint`, { n: samples });
  return users_pictures ? `${own} ${t("beside_hint", { n: users_pictures })}` : own;
}

/** As users know it: `pony` says more than `sdxl`, and `wan 14b` more than `wan`. */
function family({ architecture, lineage, variant }) {
  return lineage ?? [architecture, variant].filter(Boolean).join(" ");
}

function words(match) {
  const shown = match.trigger_words.slice(0, 4).map((word) => h("span", { class: "ms-word", text: word }));
  return h("div", { class: "ms-words" }, ...shown);
}

/** The last folder of the path, where there is nothing better to say. */
function folder(match) {
  return h("div", { class: "ms-in-folder", text: match.path.split(/[\\/]/).slice(-3, -1).join(" / ") });
}

/** @typedef {{id: string, label: string, icon: string, run: () => void, primary?: boolean}} Action */

function quickActions(match, { actions }) {
  const shown = actions(match).filter((action) => action.quick);
  const made = shown.map((action) =>
    button(action.label, { icon: action.icon, shown: false, onclick: action.run, tabIndex: -1, dataset: { action: action.id } }),
  );
  return h("div", { class: "ms-quick" }, ...made);
}

function spoken(match, t) {
  const parts = [match.name, t(kindWord(match.kind)), family(match)];
  if (match.relevance !== undefined) parts.push(t("relevance", { n: Math.round(match.relevance * 100) }));
  if (match.rank === 1) parts.push(t("sure", { n: Math.round(match.confidence * 100) }));
  if (match.weak) parts.push(t("weak_hint"));
  return [...parts, ...match.trigger_words.slice(0, 3)].join(", ");
}

/** Small row of models: a picture and a name. */
export function strip(models, { api, open, note = () => "" }) {
  return fill(
    h("div", { class: "ms-strip" }),
    ...models.map((model) =>
      h(
        "button",
        { type: "button", class: "ms-strip-item", onclick: () => open(model), title: model.path },
        model.thumbnails.length
          ? h("img", { src: api.pictureUrl(model, model.thumbnails[0]), alt: "", loading: "lazy" })
          : h("span", { class: "ms-strip-none" }, icon("words")),
        h("span", { class: "ms-strip-name", text: model.name }),
        note(model) && h("span", { class: "ms-strip-note", text: note(model) }),
      ),
    ),
  );
}
