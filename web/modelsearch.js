/** ComfyUI's entry: the panel as a sidebar tab, settings, a command and its key. */

import { app } from "../../scripts/app.js";
import { api } from "../../scripts/api.js";
import { createApi } from "./api.mjs";
import { audition } from "./audition.mjs";
import { takeCards } from "./card_drag.mjs";
import { architectureOfGraph, dropCard, graphActions, pictureOf } from "./graph.mjs";
import { extendPictureMenus } from "./picture_menu.mjs";
import { translator } from "./strings.mjs";

const TAB = "modelsearch";
const TOGGLE = `Workspace.ToggleSidebarTab.${TAB}`;
const SETTINGS = "/modelsearch/settings";
const PROGRESS = "modelsearch.progress";
const STORED = { auto_index: "ModelSearch.AutoIndex", samples: "ModelSearch.Samples", quiet: "ModelSearch.Quiet", search_server: "ModelSearch.SearchServer" };

const server = createApi({ fetch: (path, options) => api.fetchApi(path, options), url: (path) => api.apiURL(path) });
const architectures = new Map(); // of checkpoints and diffusion models, by the name that loaders list
let panel = null;
let opened = 0; // so that a tab that was closed while it loaded stays closed
let progress = { state: "idle" };

const typing = {}; // what is still being typed, by setting

const setting = (name) => (value, old) => {
  if (old !== undefined && old !== value) save({ [name]: value });
};

/** The same of a text, once nothing was typed for a while. */
const typed = (name) => (value, old) => {
  clearTimeout(typing[name]);
  if (old !== undefined && old !== value) typing[name] = setTimeout(() => save({ [name]: value ?? "" }), 1000);
};

app.registerExtension({
  name: "ModelSearch",
  settings: [
    {
      id: STORED.auto_index,
      name: "Generate from new models when nothing else is to do",
      category: ["Model Search", "Indexing", "AutoIndex"],
      tooltip: "Off: generating starts when you press Index now in the Model Search tab.",
      type: "boolean",
      defaultValue: false,
      onChange: setting("auto_index"),
    },
    {
      id: STORED.samples,
      name: "Pictures a model (0: as many as it takes)",
      category: ["Model Search", "Indexing", "Samples"],
      type: "number",
      attrs: { min: 0, max: 256, showButtons: true },
      defaultValue: 0,
      onChange: setting("samples"),
    },
    {
      id: STORED.quiet,
      name: "Seconds without a prompt of yours before indexing goes on",
      category: ["Model Search", "Indexing", "Quiet"],
      type: "number",
      attrs: { min: 0, max: 3600, showButtons: true },
      defaultValue: 10,
      onChange: setting("quiet"),
    },
    {
      id: STORED.search_server,
      name: "Search server (empty: this ComfyUI's own index)",
      category: ["Model Search", "Search", "Server"],
      tooltip: "The address that `modelsearch serve` printed on another machine, with its token: its index is searched in place of this one.",
      type: "text",
      defaultValue: "",
      onChange: typed("search_server"),
    },
    { id: "ModelSearch.Welcomed", name: "Welcomed", type: "hidden", defaultValue: false },
  ],
  commands: [
    {
      id: "ModelSearch.Open",
      label: "Open Model Search",
      icon: "pi pi-images",
      function: () => app.extensionManager.command.execute(TOGGLE),
    },
  ],
  keybindings: [{ combo: { key: "f", alt: true, shift: true }, commandId: "ModelSearch.Open" }],
  menuCommands: [{ path: ["Extensions", "Model Search"], commands: ["ModelSearch.Open"] }],
  /** Every node that shows a picture can ask for models that make such. */
  beforeRegisterNodeDef(nodeType) {
    const before = nodeType.prototype.getExtraMenuOptions;
    nodeType.prototype.getExtraMenuOptions = function (canvas, options, ...more) {
      const returned = before?.call(this, canvas, options, ...more);
      const picture = pictureOf(app, api, this);
      if (picture) options.push({ content: words()("find_models_like"), callback: () => findLike(picture) });
      return returned;
    };
  },
  async setup() {
    app.extensionManager.registerSidebarTab({
      id: TAB,
      icon: "pi pi-images",
      title: "Model Search",
      label: "Find model",
      tooltip: "Model Search",
      iconBadge: badge,
      type: "custom",
      render: open,
      destroy: close,
    });
    takeCards((match, event) => {
      const done = dropCard(app, match, event, words());
      done.then((told) => told && toast("info", told)).catch((error) => toast("error", error.message));
    });
    extendPictureMenus(() => words()("find_models_like"), findLike);
    api.addEventListener(PROGRESS, ({ detail }) => watch(detail));
    await load();
    await welcome();
  },
});

async function open(element) {
  close();
  const turn = ++opened;
  element.style.cssText = "height: 100%; display: flex; flex-direction: column; min-height: 0;";
  const [{ mountPanel }] = await Promise.all([import("./panel.mjs"), style(), learn()]);
  if (turn === opened && element.isConnected) panel = mountPanel(element, { api: server, host: host() });
}

function close() {
  opened++;
  panel?.destroy();
  panel = null;
}

/** Opens the tab and searches by a picture. */
async function findLike(url) {
  const picture = await fetch(url).then((response) => response.blob());
  if (!panel) await app.extensionManager.command.execute(TOGGLE);
  for (let tries = 0; !panel && tries < 100; tries++) await new Promise((later) => setTimeout(later, 50));
  panel?.take([picture], false);
}

function words() {
  return translator(app.extensionManager.setting.get("Comfy.Locale"));
}

function host() {
  return {
    name: "comfyui",
    language: app.extensionManager.setting.get("Comfy.Locale"),
    ...graphActions(app, words()),
    audition: (asked) => audition({ app, api, ...asked }),
    architectureOfGraph: () => architectureOfGraph(app, architectures),
    onProgress(listener) {
      const heard = ({ detail }) => listener(detail);
      api.addEventListener(PROGRESS, heard);
      return () => api.removeEventListener(PROGRESS, heard);
    },
  };
}

/** Once; resolves when the panel can be shown without a flash of unstyled content. */
let styled = null;
function style() {
  styled ??= new Promise((done) => {
    const link = document.createElement("link");
    Object.assign(link, { rel: "stylesheet", href: new URL("panel.css", import.meta.url).href, onload: done, onerror: done });
    document.head.append(link);
  });
  return styled;
}

/** Which architecture the models have that a graph may name. */
async function learn() {
  for (const kind of ["checkpoint", "diffusion_model"]) {
    const answer = await server.models({ kind, limit: 500 }).catch(() => ({ models: [] }));
    for (const model of answer.models) {
      if (model.listed?.name) architectures.set(model.listed.name, model.architecture);
    }
  }
}

function badge() {
  if (!["running", "waiting"].includes(progress.state) || progress.stage !== "generate" || !progress.total) return null;
  return `${Math.floor((100 * progress.done) / progress.total)}%`;
}

function watch(now) {
  const before = progress;
  progress = now;
  if (now.message && now.message !== before.message) {
    toast(now.state === "failed" ? "error" : "info", now.message);
  }
}

/** The server's settings are those that count: they are shared by all windows. */
async function load() {
  const response = await api.fetchApi(SETTINGS).catch(() => null);
  if (!response?.ok) return;
  const values = await response.json();
  for (const [name, id] of Object.entries(STORED)) {
    if (app.extensionManager.setting.get(id) !== values[name]) await app.extensionManager.setting.set(id, values[name]);
  }
}

async function save(values) {
  const body = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(values) };
  const response = await api.fetchApi(SETTINGS, body);
  if (!response.ok) toast("error", (await response.json()).error);
}

/** Once after the installation: what can be done now. */
async function welcome() {
  if (app.extensionManager.setting.get("ModelSearch.Welcomed")) return;
  const status = await server.status().catch(() => null);
  if (!status || status.evidence?.generated) return;
  toast("info", "Model Search knows your models by their names. Open its tab and press Index now to let it see what they make.");
  await app.extensionManager.setting.set("ModelSearch.Welcomed", true);
}

function toast(severity, detail) {
  app.extensionManager.toast.add({ severity, summary: "Model Search", detail, life: 10000 });
}
