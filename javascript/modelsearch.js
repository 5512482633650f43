// Puts the shared panel into the tab of the same name, and carries what its buttons ask for over to gradio.

const modelSearch = { asked: "", waiting: null, turn: Promise.resolve(), count: 0, added: new Map(), panel: null, strength: null };
const MODEL_SEARCH_PATIENCE = 60_000; // milliseconds

function modelSearchAsked() {
  return modelSearch.asked;
}

function modelSearchTold(told) {
  const answer = JSON.parse(told || "{}");
  const waiting = modelSearch.waiting;
  if (!waiting || answer.id !== waiting.id) return; // too late
  modelSearch.waiting = null;
  if (answer.error) waiting.reject(new Error(answer.error));
  else waiting.resolve(answer);
}

// One after the other: gradio carries one question at a time, and what is asked depends on the answer before.
function modelSearchInTurn(work) {
  const done = modelSearch.turn.then(work);
  modelSearch.turn = done.catch(() => undefined);
  return done;
}

function modelSearchAsk(asked) {
  return new Promise((resolve, reject) => {
    modelSearch.count += 1;
    const id = modelSearch.count;
    const silent = () => reject(new Error(modelSearchWord("The WebUI did not answer; look at the prompt, then try again.")));
    setTimeout(silent, MODEL_SEARCH_PATIENCE);
    modelSearch.waiting = { id, resolve, reject };
    modelSearch.asked = JSON.stringify({ id, ...asked });
    gradioApp().querySelector("#modelsearch_go").click();
  });
}

function modelSearchWord(text) {
  return window.localization?.[text] ?? text;
}

function modelSearchUrl(path) {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

// JSON of a route of ours; an Error with the server's words where it refuses.
async function modelSearchFetch(path, options) {
  const reply = await fetch(modelSearchUrl(`/modelsearch/${path}`), options);
  const answer = await reply.json().catch(() => ({ error: `${reply.status} ${reply.statusText}` }));
  if (!reply.ok) throw new Error(answer.error ?? answer.detail ?? `${reply.status}`);
  return answer;
}

// Puts a LoRA into a prompt. Once more takes out what was put in, and nothing that the user has written.
function modelSearchToPrompt(tab, match) {
  return modelSearchInTurn(async () => {
    const key = `${tab} ${match.id}`;
    const asked = { action: "lora", tab, model: match.id, strength: modelSearch.strength, added: modelSearch.added.get(key) };
    const { done, tag, added } = await modelSearchAsk(asked);
    modelSearch.added.set(key, added);
    const said = {
      added: modelSearchWord("{tag} added to {tab}"),
      "taken out": modelSearchWord("{tag} taken out of {tab}"),
      there: modelSearchWord("{tag} stands in {tab} already, as it was written there"),
      repeated: modelSearchWord("{tag} stands in txt2img, whose prompt counts where that of {tab} is empty"),
    };
    return said[done].replace("{tag}", () => tag).replace("{tab}", tab);
  });
}

function modelSearchToDetailer(tab, match) {
  return modelSearchInTurn(async () => {
    const { chosen } = await modelSearchAsk({ action: "detector", tab, name: match.listed.name });
    return modelSearchWord("{name} chosen in ADetailer of {tab}").replace("{name}", () => chosen).replace("{tab}", tab);
  });
}

function modelSearchChoose(match) {
  const name = match.listed?.name;
  if (!name) throw new Error(modelSearchWord("The WebUI does not list this model; press the refresh button beside its checkpoints."));
  selectCheckpoint(name);
  return `${modelSearchWord("Checkpoint")}: ${name}`;
}

// What a card offers. `away`: the index is a search server's, and this WebUI may not have the model at all; of its own
// index a button says why it can't.
function modelSearchActions(away) {
  const isHere = (match) => !away || Boolean(match.listed?.name);
  const isLora = (match) => match.kind === "lora" && isHere(match);
  const isBase = (match) => ["checkpoint", "diffusion_model"].includes(match.kind) && isHere(match);
  const has = (prompts) => Boolean(gradioApp().querySelector(prompts));
  const hasHires = () => has("#hires_prompt textarea, #txt2img_refiner_prompt textarea");
  const hasControl = () => has("#control_prompt textarea"); // SD.Next
  const toPrompt = (tab) => (match) => modelSearchToPrompt(tab, match);
  return [
    { id: "txt2img", label: modelSearchWord("To txt2img"), icon: "insert", primary: true, can: isLora, run: toPrompt("txt2img") },
    { id: "img2img", label: modelSearchWord("To img2img"), icon: "image", can: isLora, run: toPrompt("img2img") },
    { id: "hires", label: modelSearchWord("To the hires prompt"), icon: "stack", can: (match) => isLora(match) && hasHires(), run: toPrompt("hires") },
    { id: "control", label: modelSearchWord("To Control"), icon: "image", can: (match) => isLora(match) && hasControl(), run: toPrompt("control") },
    { id: "checkpoint", label: modelSearchWord("Use this checkpoint"), icon: "target", primary: true, can: isBase, run: modelSearchChoose },
  ];
}

// What a found detector offers where ADetailer is installed.
function modelSearchDetectorActions() {
  const action = (tab, label, icon) => ({
    id: `adetailer_${tab}`,
    label,
    icon,
    primary: tab === "txt2img",
    can: (match) => Boolean(match.kind === "detector" && match.listed?.name && gradioApp().querySelector(`#script_${tab}_adetailer_ad_model`)),
    run: (match) => modelSearchToDetailer(tab, match),
  });
  return [action("txt2img", modelSearchWord("To ADetailer"), "target"), action("img2img", modelSearchWord("To ADetailer in img2img"), "image")];
}

// At the top of the panel: with which strength a LoRA goes into a prompt, and previews for those that have none; a
// search server's pictures are not written here.
function modelSearchToolbar(away) {
  const strength = document.createElement("input");
  Object.assign(strength, { type: "number", min: -10, max: 10, step: 0.05, placeholder: modelSearchWord("suggested") });
  strength.addEventListener("input", () => (modelSearch.strength = strength.value === "" ? null : Number(strength.value)));
  const label = document.createElement("label");
  label.append(modelSearchWord("Strength"), strength);
  const previews = document.createElement("button");
  Object.assign(previews, { type: "button", textContent: modelSearchWord("Previews…"), title: modelSearchWord("Previews for LoRA that have none") });
  previews.addEventListener("click", () => modelSearch.panel.guard(modelSearchPreviews));
  const bar = document.createElement("div");
  bar.className = "modelsearch-toolbar";
  bar.append(label, ...(away ? [] : [previews]));
  return [bar];
}

async function modelSearchPreviews() {
  const { lacking } = await modelSearchFetch("webui/previews");
  if (!lacking) return modelSearch.panel.say(modelSearchWord("Every LoRA that is indexed with pictures has a preview."));
  const question = modelSearchWord("Write a preview picture beside each of this many LoRA that have none? Pictures that are there stay.");
  if (!confirm(`${question} (${lacking})`)) return undefined;
  const body = { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" };
  const { written, refused } = await modelSearchFetch("webui/previews", body);
  modelSearch.panel.say(`${modelSearchWord("Previews written")}: ${written}`);
  const reasons = Object.values(refused);
  if (reasons.length) modelSearch.panel.say(`${reasons.length}: ${reasons[0]}`, "error");
  return undefined;
}

// Mounted once, when its tab is first seen or something is to be shown in it.
function modelSearchPanel() {
  modelSearch.mounting ??= modelSearchMount(gradioApp().querySelector("#modelsearch_panel")).catch((error) => {
    modelSearch.mounting = undefined;
    gradioApp().querySelector("#modelsearch_panel").textContent = error.message;
    throw error;
  });
  return modelSearch.mounting;
}

// By what it lies on: SD.Next's themes are dark without saying so to gradio.
function modelSearchIsDark(box) {
  for (let place = box; place; place = place.parentElement) {
    const [red, green, blue, opacity = 1] = (getComputedStyle(place).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    if (opacity > 0.5) return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
  }
  return document.body.classList.contains("dark");
}

async function modelSearchMount(box) {
  const { search_server: away } = await modelSearchFetch("status"); // says why, where we are refused
  const [{ mountPanel }, { createApi }] = await Promise.all(
    ["panel.mjs", "api.mjs"].map((name) => import(modelSearchUrl(`/modelsearch/panel/${name}`))),
  );
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: modelSearchUrl("/modelsearch/panel/panel.css") });
  document.head.append(style);
  const api = createApi({ fetch: (path, options) => fetch(modelSearchUrl(path), options), url: modelSearchUrl });
  const theme = modelSearchIsDark(box) ? "dark" : "light";
  const language = opts.localization && opts.localization !== "None" ? opts.localization : "en";
  box.replaceChildren();
  const host = { name: "webui", theme, language, actions: modelSearchActions(Boolean(away)), classifierActions: modelSearchDetectorActions(), toolbar: modelSearchToolbar(Boolean(away)) };
  modelSearch.panel = mountPanel(box, { api, host });
  return modelSearch.panel;
}

onUiLoaded(() => {
  const box = gradioApp().querySelector("#modelsearch_panel");
  if (!box) return;
  box.closest(".prose")?.after(box); // gradio colours every element of running text
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    modelSearchPanel().then(() => seen.disconnect(), () => undefined); // tried again when it is next seen
  });
  seen.observe(box);
});
