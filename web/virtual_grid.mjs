/** A grid of equal tiles of which only those in sight exist, so that thousands scroll smoothly. */

import { h } from "./elements.mjs";

const BEYOND = 1.5; // screens above and below the visible one that are kept ready
const FAST = 2.5; // screens a second, from which on tiles stay empty
const STILL = 120; // milliseconds without scrolling, after which they are filled

export class VirtualGrid {
  /**
   * @param {{scroller: HTMLElement, label: string, tile: (index: number) => HTMLElement, empty: () => HTMLElement,
   *   size: (width: number) => {columns: number, height: number, gap: number}}} options
   *   `size` says how the tiles of a grid of that width are laid out; `tile` makes the one at an index, `empty` one that
   *   flies past and asks the server for nothing.
   */
  constructor({ scroller, label, tile, empty, size }) {
    this.element = h("div", { class: "ms-grid", role: "list", "aria-label": label });
    this.scroller = scroller;
    this.tile = tile;
    this.empty = empty;
    this.flying = false;
    this.seen = { top: 0, at: 0 };
    this.size = size;
    this.count = 0;
    this.current = 0;
    this.layout = { columns: 1, height: 100, gap: 8, width: 0 };
    /** @type {Map<number, HTMLElement>} */
    this.tiles = new Map();
    this.onScroll = () => this.scrolled();
    scroller.addEventListener("scroll", this.onScroll, { passive: true });
    this.observer = new ResizeObserver(() => this.measure());
    this.observer.observe(this.element);
    this.observer.observe(scroller);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusin", (event) => this.follow(event));
  }

  destroy() {
    this.observer.disconnect();
    this.scroller.removeEventListener("scroll", this.onScroll);
    clearTimeout(this.still);
    cancelAnimationFrame(this.frame);
  }

  /** Shows `count` tiles, all of them new. */
  reset(count) {
    this.count = count;
    this.current = Math.min(this.current, Math.max(0, count - 1));
    for (const index of this.tiles.keys()) this.drop(index);
    this.measure();
  }

  /** Makes the tile at an index again. */
  refresh(index) {
    const old = this.tiles.get(index);
    if (!old) return;
    const focused = old.contains(document.activeElement);
    this.drop(index);
    this.draw();
    if (focused) this.tiles.get(index)?.focus({ preventScroll: true });
  }

  measure() {
    const width = this.element.clientWidth;
    if (!width) return;
    const layout = { ...this.size(width), width };
    const changed = JSON.stringify(layout) !== JSON.stringify(this.layout);
    this.layout = layout;
    const rows = Math.ceil(this.count / layout.columns);
    this.element.style.height = `${Math.max(0, rows * (layout.height + layout.gap) - layout.gap)}px`;
    if (changed) for (const [index, tile] of this.tiles) this.place(tile, index);
    this.draw();
  }

  soon() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.draw());
  }

  /** Nothing is asked for while the list flies past: not for pictures, nor for pages of models. */
  scrolled() {
    const now = performance.now();
    const { scrollTop: top, clientHeight: screen } = this.scroller;
    const passed = Math.abs(top - this.seen.top) / Math.max(1, screen);
    this.flying = passed / Math.max(0.016, (now - this.seen.at) / 1000) > FAST;
    this.seen = { top, at: now };
    clearTimeout(this.still);
    this.still = setTimeout(() => this.land(), STILL);
    this.soon();
  }

  /** Fills what has come to rest. */
  land() {
    this.flying = false;
    for (const [index, tile] of this.tiles) if (tile.dataset.empty) this.drop(index);
    this.draw();
  }

  /** Takes a tile away, and what it is still waiting for. */
  drop(index) {
    const tile = this.tiles.get(index);
    for (const picture of tile.querySelectorAll("img")) if (!picture.complete) picture.removeAttribute("src");
    tile.remove();
    this.tiles.delete(index);
  }

  draw() {
    const [first, last] = this.range();
    for (const [index, tile] of this.tiles) {
      if ((index < first || index >= last) && !tile.contains(document.activeElement)) this.drop(index);
    }
    for (let index = first; index < last; index++) if (!this.tiles.has(index)) this.add(index);
  }

  /** First and last index in sight or near it. */
  range() {
    const { columns, height, gap } = this.layout;
    const top = this.scroller.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    const screen = this.scroller.clientHeight;
    const row = (pixels) => Math.floor(pixels / (height + gap));
    const first = Math.max(0, row(top - screen * BEYOND)) * columns;
    return [first, Math.max(first, Math.min(this.count, (row(top + screen * (1 + BEYOND)) + 1) * columns))];
  }

  add(index) {
    const tile = this.flying ? this.empty() : this.tile(index);
    if (this.flying) tile.dataset.empty = "yes";
    tile.setAttribute("role", "listitem");
    tile.setAttribute("aria-setsize", String(this.count));
    tile.setAttribute("aria-posinset", String(index + 1));
    tile.tabIndex = index === this.current ? 0 : -1;
    tile.dataset.index = String(index);
    this.place(tile, index);
    this.tiles.set(index, tile);
    this.element.append(tile);
  }

  place(tile, index) {
    const { columns, height, gap, width } = this.layout;
    const each = (width - gap * (columns - 1)) / columns;
    tile.style.width = `${each}px`;
    tile.style.height = `${height}px`;
    const x = (index % columns) * (each + gap);
    tile.style.transform = `translate(${x}px, ${Math.floor(index / columns) * (height + gap)}px)`;
  }

  key(event) {
    if (event.target.closest("button, a, input") && !event.target.dataset.index) return;
    const { columns } = this.layout;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / this.layout.height)) * columns;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, PageDown: page, PageUp: -page };
    const to = { Home: 0, End: this.count - 1 }[event.key] ?? this.current + (steps[event.key] ?? NaN);
    if (Number.isNaN(to)) return;
    event.preventDefault();
    if (to < 0 && event.key === "ArrowUp") this.element.dispatchEvent(new CustomEvent("leave", { bubbles: true }));
    else this.focus(Math.min(this.count - 1, Math.max(0, to)));
  }

  follow(event) {
    const index = Number(event.target.closest("[data-index]")?.dataset.index);
    if (Number.isNaN(index)) return;
    const before = this.tiles.get(this.current);
    if (before) before.tabIndex = -1;
    this.current = index;
    this.tiles.get(index).tabIndex = 0;
  }

  /** Brings a tile into sight and gives it the focus. */
  focus(index) {
    if (!this.count) return;
    const { columns, height, gap } = this.layout;
    const outer = this.scroller.getBoundingClientRect();
    const y = this.element.getBoundingClientRect().top - outer.top + Math.floor(index / columns) * (height + gap);
    const above = this.above?.() ?? 0;
    if (y < above) this.scroller.scrollTop += y - above - gap;
    else if (y + height > outer.height) this.scroller.scrollTop += y + height - outer.height + gap;
    this.flying = false;
    this.draw();
    this.tiles.get(index)?.focus({ preventScroll: true });
  }
}
