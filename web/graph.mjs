/**
 * What the panel's buttons do in ComfyUI's graph. Model names are the server's: `match.listed.name`, and
 * `match.listed.halves` of a model that is two files, one for high and one for low noise (Wan 2.2).
 */

const LOADERS = {
  lora: { node: "LoraLoader", widget: "lora_name" },
  checkpoint: { node: "CheckpointLoaderSimple", widget: "ckpt_name" },
  diffusion_model: { node: "UNETLoader", widget: "unet_name" },
};
const HALF_OF_LORA = { ...LOADERS.lora, node: "LoraLoaderModelOnly" }; // no text encoder is in one of two files
const LOW_NOISE = /(?<![a-z])low([-_ ]?noise)?(?![a-z])|[-_ ]ln?(?=$|[-_ .])/i;
const STACK = "Power Lora Loader (rgthree)";
const GAP = 40;
const SIZE = [320, 140]; // of a loader, before it is drawn
const TURNS = 24;

/** @param {any} app ComfyUI's @param {(key: string, values?: any) => string} say */
export function graphActions(app, say) {
  return {
    insertLoader: (match) => insert(app, match, say),
    setSelectedLoader: (match) => setSelectedLoader(app, match),
    addToStack: (match) => addToStack(app, match),
    dragsCards: true,
    can: (match, action) => can(app, match, action),
  };
}

function can(app, match, action) {
  if (!match.listed?.name || !LOADERS[match.kind]) return false;
  if (action === "setSelectedLoader") return Boolean(selectedLoader(app, match));
  if (action === "addToStack") return match.kind === "lora" && Boolean(stackNode(app));
  return true;
}

/** A card let go over the graph: the loader that is there takes the model, or else a new one is put there; in words. */
export async function dropCard(app, match, event, say) {
  const at = app.canvas.convertEventToCanvasOffset(event);
  const node = graphOf(app).getNodeOnPos(at[0], at[1]);
  if (node?.type === STACK && match.kind === "lora") return addRow(app, node, match);
  const widget = node && loaderWidget(node, match);
  if (!widget) return insert(app, match, say, at);
  await setWidget(app, node, widget.name, nameFor(node, match));
  app.canvas.setDirty?.(true, true);
  return "";
}

/** A loader with the model, where no other node is, or at a place; two, where it is two files. */
async function insert(app, match, say, at = null) {
  const { halves, name } = match.listed;
  if (!halves) {
    await insertLoader(app, match, LOADERS[match.kind], name, at);
    return "";
  }
  const loader = match.kind === "lora" ? HALF_OF_LORA : LOADERS[match.kind];
  const first = await insertLoader(app, match, loader, halves.high, at);
  const below = at && [at[0], at[1] + first.size[1] + 2 * GAP];
  await insertLoader(app, match, loader, halves.low, below);
  return say("both_halves", halves);
}

/** Selects it. */
async function insertLoader(app, match, { node: type, widget }, name, at) {
  const node = window.LiteGraph.createNode(type);
  if (!node) throw new Error(`ComfyUI has no node ${type}`);
  const graph = graphOf(app);
  node.pos = at ? [at[0], at[1]] : freePlace(app, node.size ?? SIZE);
  graph.add(node);
  await setWidget(app, node, widget, name);
  if (match.strength) {
    for (const each of node.widgets ?? []) if (each.name.startsWith("strength_")) each.value = match.strength;
  }
  app.canvas.selectNode?.(node);
  app.canvas.setDirty?.(true, true);
  return node;
}

async function setSelectedLoader(app, match) {
  const { node, widget } = selectedLoader(app, match) ?? {};
  if (!node) throw new Error("Select a loader node first");
  await setWidget(app, node, widget.name, nameFor(node, match));
  app.canvas.setDirty?.(true, true);
}

/** Adds a row to rgthree's Power Lora Loader: the selected one, or else the first. */
async function addToStack(app, match) {
  const node = stackNode(app);
  if (!node) throw new Error(`There is no ${STACK} in this graph`);
  addRow(app, node, match);
}

function addRow(app, node, match) {
  const row = node.addNewLoraWidget(nameFor(node, match));
  if (row?.value && match.strength) row.value = { ...row.value, strength: match.strength };
  node.setSize?.(node.computeSize?.() ?? node.size);
  app.canvas.setDirty?.(true, true);
}

function stackNode(app) {
  const nodes = [...selected(app), ...(graphOf(app)?.nodes ?? [])];
  return nodes.find((node) => node.type === STACK && typeof node.addNewLoraWidget === "function");
}

/** The selected node that has a widget for this kind of model, whoever made the node. */
function selectedLoader(app, match) {
  for (const node of selected(app)) {
    const widget = loaderWidget(node, match);
    if (widget) return { node, widget };
  }
  return null;
}

function loaderWidget(node, match) {
  const wanted = LOADERS[match.kind]?.widget;
  return node.widgets?.find(({ name, type }) => name === wanted && type === "combo");
}

/** Of a model of two files the one that goes with the diffusion model under a node, or else with what it holds. */
function nameFor(node, match) {
  const { halves, name } = match.listed;
  return halves ? halves[isLowNoise(node) ? "low" : "high"] : name;
}

function isLowNoise(node) {
  const held = (at, name) => at?.widgets?.find((widget) => widget.name === name)?.value;
  let under = node;
  for (let turn = 0; under && !held(under, "unet_name") && turn < TURNS; turn++) {
    const slot = under.inputs?.findIndex((input) => input.name === "model") ?? -1;
    under = slot < 0 ? null : under.getInputNode(slot);
  }
  return LOW_NOISE.test(held(under, "unet_name") ?? held(node, "lora_name") ?? "");
}

/** A name that is newer than the page is not among a combo's values yet. */
async function setWidget(app, node, name, value) {
  const widget = node.widgets?.find((each) => each.name === name);
  if (!widget) throw new Error(`${node.title} has no ${name}`);
  const values = widget.options?.values;
  if (Array.isArray(values) && !values.includes(value)) await app.refreshComboInNodes?.();
  widget.value = value;
  widget.callback?.(value, app.canvas, node);
}

/** Where the picture lies that a node shows now; nothing for a node without one. */
export function pictureOf(app, api, node) {
  const shown = node.imgs?.[node.imageIndex ?? node.overIndex ?? 0];
  if (shown?.src) return shown.src;
  const file = app.nodeOutputs?.[node.id]?.images?.[0];
  return file ? api.apiURL(`/view?${new URLSearchParams(file)}`) : "";
}

/** The architecture that the graph's own checkpoint has. @param {Map<string, string>} architectures by listed name */
export function architectureOfGraph(app, architectures) {
  for (const node of graphOf(app)?.nodes ?? []) {
    for (const widget of node.widgets ?? []) {
      const found = ["ckpt_name", "unet_name"].includes(widget.name) && architectures.get(widget.value);
      if (found && found !== "unknown") return found;
    }
  }
  return null;
}

function graphOf(app) {
  return app.canvas?.graph ?? app.graph; // an open subgraph, else the root
}

function selected(app) {
  return Object.values(app.canvas?.selected_nodes ?? {});
}

/** Around the middle of what is seen, the first place in a spiral where the new node touches no other. */
function freePlace(app, [width, height]) {
  const [left, top, w, h] = app.canvas.visible_area ?? [0, 0, 800, 600];
  const middle = [left + w / 2 - width / 2, top + h / 2 - height / 2];
  const taken = (graphOf(app)?.nodes ?? []).map((node) => [...node.pos, ...node.size]);
  for (let turn = 0; turn < TURNS; turn++) {
    for (const [dx, dy] of ring(turn)) {
      const place = [middle[0] + dx * (width + GAP), middle[1] + dy * (height + GAP)];
      if (!taken.some((box) => touches(box, [...place, width, height]))) return place;
    }
  }
  return middle;
}

function ring(turn) {
  if (turn === 0) return [[0, 0]];
  const side = Array.from({ length: 2 * turn + 1 }, (_, n) => n - turn);
  const all = side.flatMap((x) => side.map((y) => [x, y]));
  return all.filter(([x, y]) => Math.max(Math.abs(x), Math.abs(y)) === turn);
}

function touches([ax, ay, aw, ah], [bx, by, bw, bh]) {
  return ax < bx + bw + GAP / 2 && bx < ax + aw + GAP / 2 && ay - 30 < by + bh && by - 30 < ay + ah; // 30: the title
}
