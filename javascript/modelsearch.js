// Puts the shared panel into the tab of the same name, and carries what its buttons ask for over to gradio.

const modelSearch = { asked: "", waiting: null };

function modelSearchAsked() {
  return modelSearch.asked;
}

function modelSearchTold(told) {
  const answer = JSON.parse(told || "{}");
  const waiting = modelSearch.waiting;
  modelSearch.waiting = null;
  if (!waiting) return;
  if (answer.error) waiting.reject(new Error(answer.error));
  else waiting.resolve(answer.done);
}

function modelSearchAsk(asked) {
  modelSearch.waiting?.reject(new Error("a second button was pressed before the first was done"));
  return new Promise((resolve, reject) => {
    modelSearch.asked = JSON.stringify(asked);
    modelSearch.waiting = { resolve, reject };
    gradioApp().querySelector("#modelsearch_go").click();
  });
}

function modelSearchWord(text) {
  return window.localization?.[text] ?? text;
}

function modelSearchUrl(path) {
  return new URL(path.replace(/^\//, ""), document.baseURI).href;
}

// What a card offers. A LoRA that is in the prompt already is taken out again, as the WebUI's own cards do.
function modelSearchActions() {
  const isLora = (match) => match.kind === "lora";
  const toPrompt = (tab) => (match) => modelSearchAsk({ action: "lora", tab, model: match.id });
  const chooseCheckpoint = (match) => {
    if (!match.listed?.name) throw new Error(modelSearchWord("The WebUI does not list this model; press the refresh button beside its checkpoints."));
    selectCheckpoint(match.listed.name);
    return `${modelSearchWord("Checkpoint")}: ${match.listed.name}`;
  };
  return [
    { id: "txt2img", label: modelSearchWord("To txt2img"), icon: "insert", primary: true, can: isLora, run: toPrompt("txt2img") },
    { id: "img2img", label: modelSearchWord("To img2img"), icon: "image", can: isLora, run: toPrompt("img2img") },
    { id: "checkpoint", label: modelSearchWord("Use this checkpoint"), icon: "target", primary: true, can: (match) => !isLora(match), run: chooseCheckpoint },
  ];
}

async function modelSearchMount(box) {
  const [{ mountPanel }, { createApi }] = await Promise.all(
    ["panel.mjs", "api.mjs"].map((name) => import(modelSearchUrl(`/modelsearch/panel/${name}`))),
  );
  const style = Object.assign(document.createElement("link"), { rel: "stylesheet", href: modelSearchUrl("/modelsearch/panel/panel.css") });
  document.head.append(style);
  const api = createApi({ fetch: (path, options) => fetch(modelSearchUrl(path), options), url: modelSearchUrl });
  const theme = document.body.classList.contains("dark") ? "dark" : "light";
  const language = opts.localization && opts.localization !== "None" ? opts.localization : "en";
  mountPanel(box, { api, host: { name: "webui", theme, language, actions: modelSearchActions() } });
}

onUiLoaded(() => {
  const box = gradioApp().querySelector("#modelsearch_panel");
  if (!box) return;
  box.closest(".prose")?.after(box); // gradio colours every element of running text
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    modelSearchMount(box).catch((error) => (box.textContent = `Model Search: ${error.message}`));
  });
  seen.observe(box);
});
