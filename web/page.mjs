/** The page of `modelsearch serve`: the panel in the whole window, dark or light. */

import { createApi } from "./api.mjs";
import { button, fill, icon } from "./elements.mjs";
import { mountPanel } from "./panel.mjs";
import { translator } from "./strings.mjs";

const KEPT = "modelsearch.theme";

function start() {
  const system = matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark";
  let theme = localStorage.getItem(KEPT) ?? system;
  const turn = button(translator()("theme"), { icon: "sun", shown: false, onclick: () => use(theme === "dark" ? "light" : "dark") });
  const panel = mountPanel(document.body, { api: createApi(), host: { name: "serve", theme, toolbar: [turn] } });

  function use(wanted) {
    theme = wanted;
    localStorage.setItem(KEPT, theme);
    show();
  }

  function show() {
    panel.element.dataset.theme = theme;
    document.body.dataset.theme = theme;
    fill(turn, icon(theme === "dark" ? "sun" : "moon"));
  }

  show();
  document.documentElement.lang = navigator.language;
}

if (document.body?.classList.contains("modelsearch-page")) start();
