/** The collection as a map: a thumbnail for each model, near each other what makes similar pictures. */

import { kindWord } from "./card.mjs";
import { button, debounced, fill, h, icon } from "./elements.mjs";

const TILE = 100; // pixels of a tile before it is scaled
const FILLED = 0.88; // of a tile by its picture
const LARGEST = 240; // pixels that a tile grows to
const PICTURES_FROM = 24; // pixels of a tile below which it stays a dot: nothing could be made out
const AT_ONCE = 150; // pictures that are asked for before the next ones are
const MOST = 600; // pictures at a time, however large the window is
const NAMES_FROM = 76; // pixels of a tile from which on its name stands on it
const MARGIN = 14;
const STEP = 1.35; // of the zoom, by key or button
const DRAGGED = 4; // pixels that tell dragging from pressing
const KINDS = ["checkpoint", "lora", "diffusion_model", "classifier", "pictures"];

/** @typedef {{id: string, name: string, kind: string, architecture: string, evidence: string, picture: number | null,
 *   x: number, y: number}} Place */

export class MapView {
  constructor(context) {
    this.context = context;
    /** @type {Place[]} */
    this.places = [];
    this.points = [];
    this.current = 0;
    this.at = { x: 0, y: 0, scale: 1 };
    this.pointers = new Map();
    /** @type {Map<number, HTMLImageElement>} by the index of their place */
    this.pictures = new Map();
    this.settle = debounced(() => this.settled(), 90);
    this.element = this.build();
    this.observer = new ResizeObserver(() => this.resized());
    this.observer.observe(this.view);
  }

  build() {
    const { t } = this.context;
    this.world = h("div", { class: "ms-map-world" });
    this.tip = h("div", { class: "ms-map-tip", hidden: true, "aria-hidden": "true" });
    this.view = h("div", { class: "ms-map", role: "group" }, this.world, this.tip);
    this.told = h("p", { class: "ms-map-told" });
    const act = (label, name, run) => button(t(label), { icon: name, shown: false, onclick: run });
    this.tools = h(
      "div",
      { class: "ms-map-tools", hidden: true },
      act("zoom_in", "add", () => this.zoom(STEP)),
      act("zoom_out", "not", () => this.zoom(1 / STEP)),
      act("zoom_fit", "fit", () => this.fit()),
    );
    this.empty = h("div", { class: "ms-map-empty", hidden: true });
    this.listen();
    return h("div", { class: "ms-view ms-map-view", role: "tabpanel", "aria-label": t("map"), hidden: true }, this.told, h("div", { class: "ms-map-frame" }, this.view, this.tools, this.empty));
  }

  listen() {
    const { view } = this;
    view.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    view.addEventListener("pointerdown", (event) => this.down(event));
    view.addEventListener("pointermove", (event) => this.move(event));
    for (const end of ["pointerup", "pointercancel"]) view.addEventListener(end, (event) => this.up(event));
    view.addEventListener("dragstart", (event) => event.preventDefault()); // of a picture: the map is dragged
    view.addEventListener("click", (event) => this.click(event), true);
    view.addEventListener("keydown", (event) => this.key(event));
    view.addEventListener("pointerover", (event) => this.hover(event.target));
    view.addEventListener("pointerleave", () => this.hover(document.activeElement));
    view.addEventListener("focusin", (event) => this.focused(event.target));
    view.addEventListener("focusout", () => this.hover(null));
  }

  destroy() {
    this.observer.disconnect();
  }

  /** Asks for the map; draws it where it has changed. */
  async load() {
    if (this.serial === undefined) this.say(this.context.t("map_making"));
    try {
      const { places, share, serial } = await this.context.api.map();
      if (serial !== this.serial) this.draw(places, share);
      this.serial = serial;
    } finally {
      if (this.serial === undefined) this.say("");
    }
  }

  /** @param {Place[]} places @param {number | null} share */
  draw(places, share) {
    const { t } = this.context;
    const kept = this.places[this.current]?.id;
    this.places = [...places].sort((a, b) => a.x - b.x);
    this.current = Math.max(0, this.places.findIndex(({ id }) => id === kept));
    this.points = this.places.map((place, index) => this.point(place, index));
    for (const index of this.pictures.keys()) this.hide(index);
    fill(this.world, ...this.points);
    this.view.setAttribute("aria-label", t("map_label", { n: places.length }));
    this.tools.hidden = places.length < 2;
    this.say("");
    if (!places.length) this.showEmpty();
    this.tell(share);
    this.turned = undefined;
    this.resized();
  }

  tell(share) {
    const { t } = this.context;
    const n = this.places.length;
    const kinds = KINDS.filter((kind) => this.places.some((place) => place.kind === kind));
    const legend = kinds.map((kind) => h("span", { class: `ms-map-kind ms-map-${kind}`, text: t(kindWord(kind)) }));
    const words = n === 1 ? t("map_one") : [t("map_hint"), share !== null && t("map_share", { n: Math.round(share * 100) })].filter(Boolean).join(" ");
    fill(this.told, n > 0 && h("span", { text: words }), kinds.length > 1 && h("span", { class: "ms-map-legend" }, ...legend));
  }

  say(text) {
    this.empty.hidden = !text;
    fill(this.empty, text && h("p", { text }));
  }

  showEmpty() {
    const { t, show } = this.context;
    this.empty.hidden = false;
    fill(this.empty, icon("map"), h("h2", { text: t("empty_title") }), h("p", { text: t("empty_text") }), button(t("empty_action"), { class: "ms-primary", onclick: () => show("index") }));
  }

  point(place, index) {
    const { t } = this.context;
    const name = [place.name, t(kindWord(place.kind)), place.architecture !== "unknown" && place.architecture].filter(Boolean).join(", ");
    return h(
      "button",
      {
        type: "button",
        class: `ms-map-point ms-map-${place.kind}${place.picture === null ? " ms-map-words" : ""}`,
        "aria-label": name,
        tabIndex: index === this.current ? 0 : -1,
        dataset: { index: String(index) },
        onclick: () => this.open(index),
      },
      h("span", { class: "ms-map-name", text: place.name }),
    );
  }

  open(index) {
    this.context.open(this.match(index));
  }

  /** A place as other views know a model. */
  match(index) {
    const place = this.places[index];
    return place && { ...place, title: place.name, path: "", trigger_words: [], thumbnails: place.picture === null ? [] : [place.picture] };
  }

  /** The next model to the right or left. */
  neighbour(match, step) {
    const index = this.places.findIndex(({ id }) => id === match.id);
    return index < 0 ? null : this.match(index + step);
  }

  /** Where a place lies; a map that is wide is turned for a view that is high. */
  of({ x, y }) {
    return this.turned ? { x: y, y: x } : { x, y };
  }

  resized() {
    const { clientWidth: width, clientHeight: height } = this.view;
    if (!width || !this.places.length) return;
    const span = (axis) => Math.max(...this.places.map((each) => each[axis])) - Math.min(...this.places.map((each) => each[axis])) + 1;
    const turned = span("x") > span("y") !== width > height;
    if (turned !== this.turned) {
      this.turned = turned;
      this.lay();
      this.fit();
    } else if (this.fitted) this.fit();
    else this.settle();
  }

  lay() {
    const at = this.places.map((place) => this.of(place));
    const side = (axis) => [Math.min(...at.map((each) => each[axis])) - 0.5, Math.max(...at.map((each) => each[axis])) + 0.5];
    const [left, right] = side("x");
    const [top, bottom] = side("y");
    this.size = { width: (right - left) * TILE, height: (bottom - top) * TILE };
    this.centres = at.map(({ x, y }) => ({ x: (x - left) * TILE, y: (y - top) * TILE }));
    this.points.forEach((point, index) => {
      const { x, y } = this.centres[index];
      point.style.left = `${x - (TILE * FILLED) / 2}px`;
      point.style.top = `${y - (TILE * FILLED) / 2}px`;
    });
  }

  least() {
    const { clientWidth: width, clientHeight: height } = this.view;
    return Math.min((width - 2 * MARGIN) / this.size.width, (height - 2 * MARGIN) / this.size.height, LARGEST / TILE);
  }

  /** Shows the whole map. */
  fit() {
    if (!this.size || !this.view.clientWidth) return;
    const scale = this.least();
    const middle = (outer, inner) => (outer - inner * scale) / 2;
    this.go({ scale, x: middle(this.view.clientWidth, this.size.width), y: middle(this.view.clientHeight, this.size.height) });
    this.fitted = true;
  }

  /** Around a point of the view, its middle if none is given. */
  zoom(factor, x = this.view.clientWidth / 2, y = this.view.clientHeight / 2) {
    if (!this.size) return;
    const least = this.least();
    const scale = Math.min(Math.max(this.at.scale * factor, least), Math.max(least, LARGEST / TILE));
    if (scale === least && factor < 1) return this.fit();
    const grown = scale / this.at.scale;
    this.go({ scale, x: x - (x - this.at.x) * grown, y: y - (y - this.at.y) * grown });
  }

  pan(dx, dy) {
    this.go({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  /** Some of the map stays in sight. */
  go({ x, y, scale }) {
    const { clientWidth: width, clientHeight: height } = this.view;
    const hold = (at, outer, inner) => Math.min(Math.max(at, Math.min(outer / 2 - inner, MARGIN)), Math.max(outer / 2, outer - inner - MARGIN));
    this.at = { scale, x: hold(x, width, this.size.width * scale), y: hold(y, height, this.size.height * scale) };
    this.fitted = false;
    this.world.style.transform = `translate(${this.at.x}px, ${this.at.y}px) scale(${scale})`;
    this.tip.hidden = true;
    this.settle();
  }

  /** Lines and letters as thin as ever, and pictures where they can be seen. */
  settled() {
    if (!this.size) return;
    const pixels = this.at.scale * TILE;
    this.world.style.setProperty("--ms-scale", String(this.at.scale));
    this.world.classList.toggle("ms-map-named", pixels >= NAMES_FROM);
    const seen = pixels < PICTURES_FROM ? [] : this.seen(pixels).slice(0, MOST);
    const kept = new Set(seen);
    for (const index of this.pictures.keys()) if (!kept.has(index)) this.hide(index);
    this.show(seen.filter((index) => !this.pictures.has(index)));
  }

  /** Indices of the places with pictures that are in sight or at most so many pixels away, from the middle outwards. */
  seen(pixels) {
    const { clientWidth: width, clientHeight: height } = this.view;
    const { scale, x: left, y: top } = this.at;
    const from = this.centres.map(({ x, y }) => [Math.abs(x * scale + left - width / 2), Math.abs(y * scale + top - height / 2)]);
    const near = (index) => from[index][0] < width / 2 + pixels && from[index][1] < height / 2 + pixels;
    const found = [...from.keys()].filter((index) => this.places[index].picture !== null && near(index));
    return found.sort((a, b) => Math.hypot(...from[a]) - Math.hypot(...from[b]));
  }

  /** Some at a time, those of an earlier view included; what is left is forgotten once the map has moved. */
  async show(indices) {
    this.wanted = indices;
    for (let n = 0; n < indices.length; n += AT_ONCE) {
      await this.lot;
      if (this.wanted !== indices) return;
      this.lot = Promise.all(indices.slice(n, n + AT_ONCE).map((index) => this.picture(index)));
    }
  }

  /** Settles when it has come, has failed, or is given up. */
  picture(index) {
    const { id, picture } = this.places[index];
    const image = h("img", { src: this.context.api.sampleUrl(id, picture), alt: "", decoding: "async" });
    this.pictures.set(index, image);
    this.points[index].prepend(image);
    return new Promise((settle) => {
      for (const end of ["load", "error"]) image.addEventListener(end, settle, { once: true });
    });
  }

  /** A dot again; a picture that is still on its way is given up. */
  hide(index) {
    const image = this.pictures.get(index);
    image.src = "";
    image.remove();
    this.pictures.delete(index);
  }

  wheel(event) {
    event.preventDefault();
    const { left, top } = this.view.getBoundingClientRect();
    const lines = event.deltaMode === 1 ? 30 : 1;
    this.zoom(Math.exp(-event.deltaY * lines * 0.0016), event.clientX - left, event.clientY - top);
  }

  down(event) {
    if (event.button) return;
    this.pointers.set(event.pointerId, event);
    if (this.pointers.size === 1) this.from = event;
    this.dragged = this.pointers.size > 1;
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    if (!this.dragged && Math.hypot(event.clientX - this.from.clientX, event.clientY - this.from.clientY) < DRAGGED) return;
    this.dragged = true;
    if (!this.view.hasPointerCapture(event.pointerId)) this.view.setPointerCapture(event.pointerId);
    this.view.classList.add("ms-map-held");
    const other = [...this.pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
    if (other) this.pinch(before, event, other);
    this.pan((event.clientX - before.clientX) / this.pointers.size, (event.clientY - before.clientY) / this.pointers.size);
    this.pointers.set(event.pointerId, event);
  }

  pinch(before, event, other) {
    const apart = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    const { left, top } = this.view.getBoundingClientRect();
    const middle = (a, b, from) => (a + b) / 2 - from;
    this.zoom(apart(event) / Math.max(1, apart(before)), middle(event.clientX, other.clientX, left), middle(event.clientY, other.clientY, top));
  }

  up(event) {
    this.pointers.delete(event.pointerId);
    if (!this.pointers.size) this.view.classList.remove("ms-map-held");
  }

  /** What was a drag opens nothing. */
  click(event) {
    if (this.dragged && event.detail > 0) event.stopPropagation();
    this.dragged = false;
  }

  key(event) {
    const { key } = event;
    const direction = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] }[key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (direction) this.focus(this.towards(...direction));
    else if (key === "PageDown" || key === "PageUp") this.focus(this.current + (key === "PageDown" ? 1 : -1));
    else if (key === "Home") this.focus(0);
    else if (key === "End") this.focus(this.places.length - 1);
    else if (key === "+" || key === "=") this.zoom(STEP, ...this.middle());
    else if (key === "-") this.zoom(1 / STEP, ...this.middle());
    else if (key === "0") this.fit();
    else return;
    event.preventDefault();
  }

  /** Of the current point, in the view. */
  middle() {
    const { x, y } = this.centres[this.current];
    return [x * this.at.scale + this.at.x, y * this.at.scale + this.at.y];
  }

  /** The nearest point in a direction, aside counting double; the current one where there is none. */
  towards(dx, dy) {
    const from = this.centres[this.current];
    let best = this.current;
    let least = Infinity;
    this.centres.forEach(({ x, y }, index) => {
      const ahead = (x - from.x) * dx + (y - from.y) * dy;
      const aside = Math.abs((x - from.x) * dy) + Math.abs((y - from.y) * dx);
      if (index === this.current || ahead <= 0 || aside > 2 * ahead || ahead + 2 * aside >= least) return;
      best = index;
      least = ahead + 2 * aside;
    });
    return best;
  }

  focus(index) {
    this.points[index]?.focus({ preventScroll: true });
  }

  focused(target) {
    const index = Number(target.closest?.("[data-index]")?.dataset.index);
    if (Number.isNaN(index)) return;
    this.points[this.current].tabIndex = -1;
    this.current = index;
    this.points[index].tabIndex = 0;
    this.view.scrollTo(0, 0);
    if (!this.pointers.size) this.reveal(); // what is being pointed at stays where it is
    this.hover(target);
  }

  /** Brings the current point into sight. */
  reveal() {
    const [x, y] = this.middle();
    const half = (TILE * this.at.scale) / 2 + MARGIN;
    const off = (at, outer) => (outer < 2 * half ? outer / 2 - at : Math.max(0, half - at) - Math.max(0, at - (outer - half)));
    const [dx, dy] = [off(x, this.view.clientWidth), off(y, this.view.clientHeight)];
    if (dx || dy) this.pan(dx, dy);
  }

  /** Shows the name of what is pointed at. */
  hover(target) {
    const point = target?.closest?.(".ms-map-point");
    this.tip.hidden = !point || this.pointers.size > 0;
    if (this.tip.hidden) return;
    const { t } = this.context;
    const place = this.places[Number(point.dataset.index)];
    fill(this.tip, h("b", { text: place.name }), h("span", { text: [t(kindWord(place.kind)), t(place.evidence)].join(" · ") }));
    const outer = this.view.getBoundingClientRect();
    const box = point.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = this.tip;
    const left = Math.min(Math.max(4, box.left + box.width / 2 - outer.left - width / 2), outer.width - width - 4);
    const below = box.bottom - outer.top + 6;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${below + height < outer.height ? below : Math.max(4, box.top - outer.top - height - 6)}px`;
  }
}
