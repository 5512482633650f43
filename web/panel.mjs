/**
 * The panel: searches a collection of models by what they make, and shows how its index grows.
 *
 *     const panel = mountPanel(element, { api: createApi(), host });   // element: any box with a height
 *     panel.search({ text: "ink wash" });  panel.like(match);  panel.show("index");  panel.destroy();
 *
 * A host calls it as often as it opens (a sidebar that is closed loses its DOM): what was asked and found is kept by
 * `host.name`. Import `panel.css` beside it. The colours are ComfyUI's CSS variables where there are any.
 *
 * Every member of `host` may be missing; the panel shows the buttons for what is there. An action may return a promise,
 * throw an Error (its message is shown) or return a text that is shown as done. `match.listed.name` is the model's name
 * as the host's own loaders list it.
 *
 * @typedef {Object} PanelHost
 * @property {string} name serve, comfyui, webui
 * @property {string} [language] as in `de-AT`; the browser's otherwise
 * @property {"dark" | "light" | "auto"} [theme] auto: the system's; a host with CSS variables of its own wins
 * @property {(match: Match) => any} [insertLoader] puts a loader node with the model at a free place of the graph
 * @property {(match: Match) => any} [setSelectedLoader] sets the selected loader node to the model
 * @property {(match: Match) => any} [addToStack] adds a LoRA to the stack node that is there
 * @property {(match: Match, action: string) => boolean} [can] whether insertLoader, setSelectedLoader or addToStack
 *   makes sense for this model now; asked whenever buttons are drawn
 * @property {boolean} [dragsCards] whether cards may be dragged out of the panel (`takeCards` of `card_drag.mjs` takes them)
 * @property {{id: string, label: string, icon: string, primary?: boolean, can: (match: Match) => boolean,
 *   run: (match: Match) => any}[]} [actions] the host's own, with labels in its language
 * @property {{id: string, label: string, icon: string, primary?: boolean, can: (output: object) => boolean,
 *   run: (output: object) => any}[]} [classifierActions] the same of outputs of detectors and classifiers
 * @property {(asked: {texts: string[], without: string[], pictures: {image: Blob[], sketch: Blob[]}, say: (key: string) => string}) => any}
 *   [audition] tries the best LoRA of a search with the host's own prompt
 * @property {(text: string) => any} [copyText] instead of the browser's clipboard
 * @property {() => string | null} [architectureOfGraph] presets the filter (sd15, sdxl, ...)
 * @property {() => Promise<string | null>} [pickFolder] a folder dialog
 * @property {(listener: (progress: object) => void) => () => void} [onProgress] progress pushed by the server; without,
 *   the panel asks
 * @property {HTMLElement[]} [toolbar] the host's own buttons, shown at the top
 * @typedef {import("./api.mjs").Match} Match
 */

import { ApiError } from "./api.mjs";
import { ClassifierView } from "./classifier_view.mjs";
import { DetailView } from "./detail_view.mjs";
import { DropZone } from "./drop_zone.mjs";
import { button, h, icon } from "./elements.mjs";
import { IndexView } from "./index_view.mjs";
import { MapView } from "./map_view.mjs";
import { emptyQuery } from "./query.mjs";
import { SearchView } from "./search_view.mjs";
import { translator } from "./strings.mjs";
import { actionsOf } from "./actions.mjs";

const BUSY = 1000; // milliseconds between two looks at the index while it grows
const CALM = 6000;

/** @type {Map<string, {query: import("./query.mjs").Query, view: string}>} what was asked last, by the host's name */
const memory = new Map();

/** @param {HTMLElement} element @param {{api: import("./api.mjs").Api, host: PanelHost}} options */
export function mountPanel(element, { api, host }) {
  const panel = new PanelView(api, host);
  element.append(panel.element);
  panel.start();
  return panel;
}

class PanelView {
  constructor(api, host) {
    this.api = api;
    this.host = host;
    this.t = translator(host.language);
    this.state = memory.get(host.name) ?? { query: emptyQuery(), view: "search", status: null };
    memory.set(host.name, this.state);
    this.context = {
      api,
      host,
      t: this.t,
      say: (text, kind) => this.say(text, kind),
      announce: (text) => (this.live.textContent = text),
      surface: () => this.surface(),
      guard: (work) => this.guard(work),
      show: (view) => this.show(view),
      like: (match) => this.like(match),
      searchBy: (picture) => this.searchView.addPicture(picture, "image", false),
      open: (match) => this.detail.open(match),
      actions: (match) => actionsOf(match, this.context),
      refresh: () => this.look(),
      neighbour: (match, step) => (this.state.view === "map" ? this.mapView : this.searchView).neighbour(match, step),
    };
    this.searchView = new SearchView(this.context, this.state);
    this.mapView = new MapView(this.context);
    this.classifierView = new ClassifierView(this.context);
    this.indexView = new IndexView(this.context);
    this.detail = new DetailView(this.context);
    this.element = this.build();
    this.drop = new DropZone(this.element, this.context, (files, not) => this.take(files, not));
  }

  build() {
    const { t } = this;
    const tab = (view, name) =>
      h("button", { type: "button", class: "ms-tab", role: "tab", dataset: { view }, onclick: () => this.show(view) }, icon(name), h("span", { text: t(view) }));
    this.tabs = [tab("search", "search"), tab("map", "map"), tab("index", "stack"), tab("tells", "target")];
    this.tabs[3].hidden = true; // until there are detectors, or a folder of some
    this.busy = h("span", { class: "ms-busy", hidden: true });
    this.tabs[2].append(this.busy);
    this.live = h("div", { class: "ms-hidden", role: "status", "aria-live": "polite" });
    this.toasts = h("div", { class: "ms-toasts", role: "alert" });
    const bar = h(
      "header",
      { class: "ms-bar" },
      h("div", { class: "ms-brand" }, icon("similar"), h("span", { text: t("panel") })),
      h("div", { class: "ms-tabs", role: "tablist", "aria-label": t("panel") }, ...this.tabs),
      ...(this.host.toolbar ?? []),
    );
    const root = h(
      "section",
      { class: "modelsearch", "aria-label": t("panel"), dataset: { theme: this.host.theme ?? "auto", host: this.host.name } },
      bar,
      this.searchView.element,
      this.mapView.element,
      this.indexView.element,
      this.classifierView.element,
      this.live,
      this.toasts,
      this.detail.element,
    );
    root.addEventListener("keydown", (event) => this.key(event));
    return root;
  }

  async start() {
    this.onPaste = (event) => this.paste(event);
    document.addEventListener("paste", this.onPaste, true);
    this.unsubscribe = this.host.onProgress?.((progress) => this.progress(progress));
    if (this.host.name === "serve") {
      this.onKey = (event) => event.target === document.body && this.key(event);
      document.addEventListener("keydown", this.onKey);
    }
    this.show(this.state.view);
    await this.look();
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    document.removeEventListener("paste", this.onPaste, true);
    document.removeEventListener("keydown", this.onKey);
    this.unsubscribe?.();
    this.searchView.destroy();
    this.mapView.destroy();
    this.classifierView.destroy();
    this.indexView.check.destroy();
    this.detail.close();
    this.element.remove();
  }

  /** @param {Partial<import("./query.mjs").Query>} query */
  search(query) {
    this.show("search");
    this.searchView.change(query);
  }

  /** Searches for models like one. @param {Match} match */
  like(match) {
    this.detail.close();
    this.show("search");
    this.searchView.like(match);
  }

  /** @param {"search" | "map" | "index" | "tells"} view */
  show(view) {
    this.state.view = view;
    this.searchView.element.hidden = view !== "search";
    this.mapView.element.hidden = view !== "map";
    this.indexView.element.hidden = view !== "index";
    this.classifierView.element.hidden = view !== "tells";
    for (const tab of this.tabs) tab.setAttribute("aria-selected", String(tab.dataset.view === view));
    if (view === "index") this.guard(() => this.indexView.load());
    else if (view === "tells") this.guard(() => this.classifierView.load());
    else if (view === "map") this.guard(() => this.mapView.load());
    else this.searchView.shown();
  }

  /** With a host's own colours, ours must be those for its dark or light ones. */
  shade() {
    const look = getComputedStyle(this.element);
    if ((this.host.theme ?? "auto") !== "auto" || !look.getPropertyValue("--comfy-menu-bg")) return;
    const [r, g, b] = look.backgroundColor.match(/[\d.]+/g).map(Number);
    this.element.dataset.theme = 0.3 * r + 0.6 * g + 0.1 * b > 128 ? "light" : "dark";
  }

  /** Asks how things stand, and again after a while. */
  async look() {
    clearTimeout(this.timer);
    this.shade();
    try {
      const status = await this.api.status();
      this.offline(false);
      this.searchView.status(status);
      this.tabs[3].hidden = !status.classifiers?.shown;
      this.progress(status.indexing, status);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.offline(true);
    }
    if (this.gone) return;
    this.timer = setTimeout(() => this.look(), this.active && !document.hidden ? BUSY : CALM);
  }

  progress(progress, status) {
    this.active = progress.active;
    this.busy.hidden = !progress.active;
    this.busy.textContent = progress.active && progress.total ? `${Math.floor((100 * progress.done) / progress.total)} %` : "";
    this.indexView.progress(progress, status);
  }

  offline(is) {
    if (is && !this.offlineToast) this.offlineToast = this.say(this.t("error_offline"), "lasting");
    if (!is && this.offlineToast) {
      this.offlineToast.remove();
      this.offlineToast = null;
    }
  }

  /** Runs what may fail, and says so. */
  async guard(work) {
    try {
      return await work();
    } catch (error) {
      if (error?.name === "AbortError") return undefined;
      this.say(error.message || this.t("error_offline"), "error");
      if (!(error instanceof ApiError)) console.error(error);
      return undefined;
    }
  }

  say(text, kind = "done") {
    const toast = h("div", { class: `ms-toast ms-toast-${kind}` }, icon(kind === "done" ? "check" : "warn"), h("span", { text }));
    const close = button(this.t("close"), { icon: "close", shown: false, onclick: () => toast.remove() });
    toast.append(close);
    this.toasts.append(toast);
    this.surface();
    if (kind !== "lasting") setTimeout(() => toast.remove(), kind === "done" ? 3500 : 9000);
    return toast;
  }

  /** Puts the messages where they are seen: an open dialog covers what is outside it. */
  surface() {
    (this.detail.isOpen ? this.detail.element : this.element).append(this.toasts);
  }

  key(event) {
    const typing = event.target.closest?.("input, textarea, select");
    if (event.key === "/" && !typing && !this.detail.isOpen) {
      event.preventDefault();
      if (this.state.view === "tells") return this.classifierView.focus();
      this.show("search");
      this.searchView.focus();
    }
  }

  paste(event) {
    const ours = this.element.contains(document.activeElement) || (this.host.name === "serve" && !this.detail.isOpen);
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!ours || !files.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    this.take(files, false);
  }

  take(files, not) {
    this.detail.close();
    if (this.state.view === "tells" && !not) {
      for (const file of files) this.classifierView.addPicture(file);
      return;
    }
    this.show("search");
    for (const file of files) this.searchView.addPicture(file, "image", not);
  }
}
