/** Asks the graph's own sampler for a picture with each of the best LoRA: nodes beside it, queued. */

const SAMPLING = ["seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"];
const SAMPLER_SOCKETS = ["model", "positive", "negative", "latent_image"];
const COLUMN = 420; // of the graph, from one node to the next
const ROW = 360;
const GAP = 100; // below all others

/** @typedef {{node: any, slot: number}} Source */

/**
 * Puts Model Query, Find LoRA and Audition LoRA into the graph, wired to what its sampler is given, and runs them.
 *
 * @param {{app: any, api: any, texts: string[], without: string[], pictures: {image: Blob[], sketch: Blob[]}, say: (key: string) => string}} asked
 * @returns {Promise<string>} what was done, in words
 */
export async function audition({ app, api, texts, without, pictures, say }) {
  const graph = app.canvas?.graph ?? app.graph;
  const scene = sceneOf(graph, Object.values(app.canvas?.selected_nodes ?? {}));
  if (!scene) throw new Error(say("audition_no_sampler"));
  const make = maker(graph);
  const query = make("ModelSearchQuery", 0, 0, { text: texts.join(", "), without: without.join(", ") });
  for (const [row, [kind, input]] of [["image", "images"], ["sketch", "sketch"]].entries()) {
    const [file] = pictures[kind];
    if (!file) continue;
    const image = make("LoadImage", -1, row);
    await choose(app, image, "image", await upload(api, file));
    connect({ node: image, slot: 0 }, query, input);
  }
  const find = make("ModelSearchFindLora", 1, 0);
  connect({ node: query, slot: 0 }, find, "query");
  connect(scene.model, find, "model");
  const made = make("ModelSearchAudition", 2, 0, { ...scene.sampling, prompt: scene.prompt, negative: scene.negative });
  connect({ node: find, slot: find.outputs.findIndex(({ name }) => name === "matches") }, made, "matches");
  connect({ node: query, slot: 0 }, made, "query");
  for (const name of ["model", "clip", "vae", "latent_image"]) connect(scene[name], made, name);
  app.canvas.selectNode?.(made);
  app.canvas.centerOnNode?.(made);
  app.canvas.setDirty?.(true, true);
  await app.queuePrompt(0, 1, graph === app.graph ? [String(made.id)] : undefined);
  return say("audition_begun");
}

/** What the selected sampler is given, or the first: its model before any LoRA, its prompts, numbers and size. */
function sceneOf(graph, selected = []) {
  const sampler = [...selected, ...(graph?.nodes ?? [])].find(isSampler);
  if (!sampler) return null;
  const texts = ["positive", "negative"].map((name) => textNode(source(sampler, name)?.node));
  const model = origin(source(sampler, "model"), "model");
  const clip = origin(source(texts[0], "clip"), "clip") ?? output(model?.node, "CLIP");
  const vae = decoded(graph, sampler) ?? output(model?.node, "VAE");
  const latent = source(sampler, "latent_image");
  if (!model || !clip || !vae || !latent) return null;
  const [prompt, negative] = texts.map((node) => String(value(node, "text") ?? ""));
  const sampling = Object.fromEntries(SAMPLING.map((name) => [name, value(sampler, name) ?? value(sampler, `noise_${name}`)]));
  return { model, clip, vae, latent_image: latent, prompt, negative, sampling };
}

function isSampler(node) {
  const names = (node.inputs ?? []).map(({ name }) => name);
  const widgets = (node.widgets ?? []).map(({ name }) => name);
  return SAMPLER_SOCKETS.every((name) => names.includes(name)) && ["steps", "cfg", "sampler_name"].every((name) => widgets.includes(name));
}

/** @returns {Source | null} what an input is wired to */
function source(node, name) {
  const slot = node?.inputs?.findIndex((input) => input.name === name) ?? -1;
  const link = slot < 0 ? null : node.getInputLink(slot);
  const from = link && node.getInputNode(slot);
  return from ? { node: from, slot: link.origin_slot } : null;
}

/** Where a wire comes from at last, through all that takes it by an input of that name. */
function origin(from, name) {
  for (let turn = 0, at = from; at && turn < 100; turn++) {
    const before = source(at.node, name);
    if (!before) return at;
    at = before;
  }
  return null;
}

/** The node with the text of a conditioning, through all that changes it. */
function textNode(node) {
  for (let turn = 0, at = node; at && turn < 100; turn++) {
    if (value(at, "text") !== undefined) return at;
    at = (source(at, "conditioning") ?? source(at, "conditioning_1") ?? source(at, "positive"))?.node;
  }
  return null;
}

/** The VAE of what decodes the sampler's latents. */
function decoded(graph, sampler) {
  const decoder = graph.nodes.find((node) => source(node, "samples")?.node === sampler && source(node, "vae"));
  return decoder ? source(decoder, "vae") : null;
}

function output(node, type) {
  const slot = node?.outputs?.findIndex((each) => each.type === type) ?? -1;
  return slot < 0 ? null : { node, slot };
}

function value(node, name) {
  return node?.widgets?.find((widget) => widget.name === name)?.value;
}

/** Makes nodes in columns and rows below all others. */
function maker(graph) {
  const left = Math.min(...graph.nodes.map(({ pos }) => pos[0]));
  const top = Math.max(...graph.nodes.map(({ pos, size }) => pos[1] + size[1])) + GAP;
  return (type, column, row, values = {}) => {
    const node = window.LiteGraph.createNode(type);
    if (!node) throw new Error(`ComfyUI has no node ${type}`);
    node.pos = [left + (column + 1) * COLUMN, top + row * ROW];
    graph.add(node);
    for (const widget of node.widgets ?? []) {
      if (values[widget.name] !== undefined) widget.value = values[widget.name];
      if (widget.name === "control_after_generate") widget.value = "fixed";
    }
    return node;
  };
}

function connect(from, to, name) {
  from.node.connect(from.slot, to, to.inputs.findIndex((input) => input.name === name));
}

/** Into ComfyUI's input folder; the name that loaders list. */
async function upload(api, file) {
  const body = new FormData();
  body.append("image", file, file.name || "query.png");
  const answer = await api.fetchApi("/upload/image", { method: "POST", body });
  if (!answer.ok) throw new Error(`ComfyUI does not take the picture (${answer.status})`);
  const { name, subfolder } = await answer.json();
  return subfolder ? `${subfolder}/${name}` : name;
}

async function choose(app, node, name, chosen) {
  const widget = node.widgets.find((each) => each.name === name);
  if (Array.isArray(widget.options?.values) && !widget.options.values.includes(chosen)) widget.options.values.push(chosen);
  widget.value = chosen;
  widget.callback?.(chosen, app.canvas, node);
}
