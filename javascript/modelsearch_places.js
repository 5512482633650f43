// Where people look: buttons on Extra Networks cards, beside the gallery's, and in PNG Info.

// What SD.Next shows on a card that has no picture.
const MODEL_SEARCH_NO_PICTURE = /(?:\/|%2f)(?:card-no-preview|missing)\.png\b/i;
const MODEL_SEARCH_GALLERIES = ["txt2img", "img2img", "control", "extras"];

async function modelSearchShow() {
  const names = ["Model Search", modelSearchWord("Model Search")];
  const tabs = [...gradioApp().querySelectorAll("#tabs button")];
  const own = gradioApp().querySelector("#tab_modelsearch-button, [tabitemid*='tab_modelsearch_']"); // SD.Next's ModernUI
  (own ?? tabs.find((tab) => names.includes(tab.textContent.trim())))?.click();
  return modelSearchPanel();
}

// What is asked elsewhere in the WebUI is a question of its own. Once `find` has what it is about: where that cannot be
// had, what was asked before stays.
async function modelSearchAnew(find, ask) {
  const panel = await modelSearchShow();
  await panel.guard(async () => {
    const found = await find();
    panel.search({ text: "", chips: [] });
    ask(panel, found);
  });
}

function modelSearchSimilar(kind, name) {
  const listed = () => modelSearchFetch(`webui/listed?${new URLSearchParams({ kind, name })}`);
  return modelSearchAnew(listed, (panel, model) => panel.like(model));
}

async function modelSearchPicture(source) {
  const reply = await fetch(source);
  if (!reply.ok) throw new Error(`${reply.status} ${source}`);
  return reply.blob();
}

function modelSearchBy(source) {
  return modelSearchAnew(() => modelSearchPicture(source), (panel, picture) => panel.take([picture], false));
}

// Told over the page where it is asked.
async function modelSearchMakers(source) {
  try {
    const panel = await modelSearchPanel();
    const form = new FormData();
    form.append("query", "{}");
    form.append("image", await modelSearchPicture(source), "picture");
    const made = await modelSearchFetch("webui/makers", { method: "POST", body: form });
    const { kindWord } = await import(modelSearchUrl("/modelsearch/panel/card.mjs"));
    modelSearchTell(panel, source, made, (model) => panel.t(kindWord(model.kind)));
  } catch (error) {
    alert(error.message);
  }
}

// A dialog with the models that made a picture; a press searches for models like that one. What is no clear match is
// shown only where nothing else is, and a little of it.
function modelSearchTell(panel, source, { models, absent }, kindOf) {
  const make = (tag, props, ...children) => {
    const element = Object.assign(document.createElement(tag), props);
    element.append(...children);
    return element;
  };
  const dialog = make("dialog", { className: "modelsearch-makers" });
  const close = make("button", { type: "button", textContent: modelSearchWord("Close") });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // Escape would interrupt the user's picture, too
  const row = (model) => {
    const likeness = `${Math.round(100 * model.relevance)} %${model.weak ? `, ${modelSearchWord("no clear match")}` : ""}`;
    const why = model.named ? modelSearchWord("named in the file") : likeness;
    const pictures = model.thumbnails.slice(0, 2).map((number) => make("img", { src: panel.api.sampleUrl(model.id, number), alt: "" }));
    const text = make("span", {}, make("b", { textContent: model.name }), ` ${kindOf(model)} · ${why}`);
    const button = make("button", { type: "button", title: modelSearchWord("Find similar") }, ...pictures, text);
    button.addEventListener("click", () => {
      dialog.close();
      modelSearchAnew(() => model, (again) => again.like(model));
    });
    return make("li", {}, button);
  };
  const clear = models.filter((model) => model.named || !model.weak);
  const shown = clear.length ? clear : models.slice(0, 3);
  const rows = make("ul", {}, ...shown.map(row));
  const missing = absent.length ? [make("p", { textContent: `${modelSearchWord("Named in the file and not indexed")}: ${absent.join(", ")}` })] : [];
  dialog.append(make("h3", { textContent: modelSearchWord("Which model made this") }), make("img", { src: source, alt: "" }), rows, ...missing, close);
  document.body.append(dialog);
  dialog.showModal();
}

// `look`: classes that dress it as the WebUI's own. It takes no second press while it works.
function modelSearchButton(icon, title, run, look = "") {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: icon, title: modelSearchWord(title) });
  button.className = `${look} modelsearch-button`;
  button.addEventListener("click", async (event) => {
    event.preventDefault();
    event.stopPropagation();
    if (button.ariaBusy) return;
    button.ariaBusy = "true";
    await Promise.resolve(run()).catch((error) => console.error(error));
    button.ariaBusy = null;
  });
  return button;
}

// Beside a gallery's own buttons, and below PNG Info's picture; `picture` gives the address of the one that is shown.
function modelSearchPictureButtons(place, picture) {
  if (!place || place.querySelector(".modelsearch-button")) return;
  const asked = (run) => () => {
    const source = picture();
    if (source) return run(source);
    return alert(modelSearchWord("There is no picture yet."));
  };
  const look = gradioApp().querySelector("#image_buttons_txt2img button")?.className;
  place.append(
    modelSearchButton("❓", "Which model made this", asked(modelSearchMakers), look),
    modelSearchButton("🔎", "Find models like this", asked(modelSearchBy), look),
  );
}

function modelSearchShown(gallery) {
  const box = gradioApp().querySelector(gallery);
  return (box?.querySelector(".preview img") ?? box?.querySelector("img"))?.src;
}

// A card gets its buttons when it is first pointed at: there may be thousands.
function modelSearchCard(event) {
  const card = event.target.closest?.(".extra-network-cards .card, .extra-network-thumbs .card");
  const page = card?.closest("[id$='_lora_cards'], [id$='_checkpoints_cards'], [id$='_model_cards']");
  if (!page || card.querySelector(".modelsearch-button")) return;
  const kind = page.id.endsWith("_lora_cards") ? "lora" : "checkpoint";
  const preview = card.querySelector("img.preview")?.src;
  const name = card.dataset.filename || card.dataset.name; // SD.Next's cards have the file
  const row = card.querySelector(".button-row, .actions") ?? card;
  row.append(modelSearchButton("≈", "Find similar", () => modelSearchSimilar(kind, name)));
  if (preview && !MODEL_SEARCH_NO_PICTURE.test(preview)) row.append(modelSearchButton("🔎", "Search by this picture", () => modelSearchBy(preview)));
}

onUiLoaded(() => {
  for (const name of MODEL_SEARCH_GALLERIES) {
    modelSearchPictureButtons(gradioApp().querySelector(`#image_buttons_${name}`), () => modelSearchShown(`#${name}_gallery`));
  }
  const pngInfo = ["#pnginfo_image", "#extras_image"].find((place) => gradioApp().querySelector(place)); // SD.Next: Process
  if (pngInfo) {
    const row = Object.assign(document.createElement("div"), { className: "modelsearch-row" });
    gradioApp().querySelector(pngInfo).after(row);
    modelSearchPictureButtons(row, () => modelSearchShown(pngInfo));
  }
  gradioApp().addEventListener("mouseover", modelSearchCard);
});
