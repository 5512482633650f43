/** What the user says of a model in place of its file: architecture, base, trigger words. */

import { button, fill, h } from "./elements.mjs";

/**
 * @param {any} model as `GET models/{id}` describes it
 * @param {{t: Function, api: import("./api.mjs").Api, guard: Function, say: Function}} context
 * @param {() => void} changed called when it was set
 */
export function byHand(model, context, changed) {
  const { t } = context;
  const box = h("div", { class: "ms-by-hand" });
  const opener = button(t("correct"), { icon: "pen", onclick: open, dataset: { action: "correct" } });

  async function open() {
    const choices = await context.guard(() => context.api.byHand(model.id));
    if (choices) fill(box, form(model, choices, context, { set, close }));
    box.querySelector("select")?.focus();
  }

  function close() {
    fill(box, opener);
    opener.focus();
  }

  async function set(values) {
    const done = await context.guard(() => context.api.setByHand(model.id, values));
    if (!done) return;
    context.say(t("corrected"));
    changed();
  }

  const told = Object.keys(model.by_hand ?? {});
  if (told.length) box.append(h("p", { text: t("by_hand", { what: told.map((name) => t(`set_${name}`)).join(", ") }) }));
  box.append(opener);
  return box;
}

function form(model, { set: before, architectures, bases }, { t }, { set, close }) {
  const choice = (name, empty, pairs) => {
    const options = [["", empty], ...pairs].map(([value, text]) => h("option", { value, text, selected: value === (before[name] ?? "") }));
    return h("select", { class: "ms-select", name }, ...options);
  };
  const architecture = choice("architecture", t("as_file_says"), architectures.map((name) => [name, name]));
  const base = choice("base", t("best_base"), bases.map(({ path, name, architecture: of }) => [path, `${name} (${of})`]));
  const shown = model.trigger_words.join(", ");
  const words = h("input", { class: "ms-input", name: "trigger_words", value: shown, autocomplete: "off" });
  const row = (name, field) => h("label", {}, h("span", { text: t(`set_${name}`) }), field);

  function send(event) {
    event.preventDefault();
    const values = {};
    for (const field of bases.length ? [architecture, base] : [architecture])
      if (field.value !== (before[field.name] ?? "")) values[field.name] = field.value || null;
    if (words.value !== shown) values.trigger_words = words.value;
    if (Object.keys(values).length) set(values);
    else close();
  }

  const forget = () => set({ architecture: null, base: null, trigger_words: null });
  return h(
    "form",
    { onsubmit: send },
    row("architecture", architecture),
    bases.length > 0 && row("base", base),
    row("trigger_words", words),
    h(
      "div",
      { class: "ms-actions" },
      button(t("save"), { class: "ms-primary", type: "submit", dataset: { action: "saveByHand" } }),
      button(t("cancel"), { onclick: close }),
      Object.keys(before).length > 0 && button(t("forget_by_hand"), { onclick: forget, dataset: { action: "forgetByHand" } }),
    ),
  );
}
