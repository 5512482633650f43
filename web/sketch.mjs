/** A small canvas to draw a sketch on: pen, eraser, undo, clear. Black lines on white, as the index's own drawings. */

import { button, h } from "./elements.mjs";

const SIZE = 384; // pixels; what an encoder sees is smaller
const PEN = 5;
const ERASER = 26;
const MOST_UNDOS = 40;

export class Sketch {
  /** @param {{t: Function, onDone: (picture: Blob) => void, onCancel: () => void}} options */
  constructor({ t, onDone, onCancel }) {
    /** @type {{erase: boolean, points: number[][]}[]} */
    this.strokes = [];
    this.erase = false;
    this.onDone = onDone;
    this.canvas = h("canvas", { class: "ms-canvas", width: SIZE, height: SIZE, role: "img", "aria-label": t("sketch_label") });
    this.context = this.canvas.getContext("2d");
    this.pen = button(t("pen"), { icon: "pen", shown: false, onclick: () => this.take(false) });
    this.eraser = button(t("eraser"), { icon: "eraser", shown: false, onclick: () => this.take(true) });
    this.undoing = button(t("undo"), { icon: "undo", shown: false, onclick: () => this.undo() });
    this.clearing = button(t("clear"), { icon: "trash", shown: false, onclick: () => this.clear() });
    this.using = button(t("use_sketch"), { icon: "search", class: "ms-primary", onclick: () => this.done() });
    const closing = button(t("cancel"), { icon: "close", shown: false, onclick: onCancel });
    const tools = h("div", { class: "ms-tools" }, this.pen, this.eraser, this.undoing, this.clearing, h("span", { class: "ms-fill" }), closing, this.using);
    this.element = h("div", { class: "ms-sketch" }, this.canvas, tools);
    this.canvas.addEventListener("pointerdown", (event) => this.begin(event));
    this.canvas.addEventListener("pointermove", (event) => this.extend(event));
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.take(false);
    this.draw();
  }

  take(erase) {
    this.erase = erase;
    this.pen.setAttribute("aria-pressed", String(!erase));
    this.eraser.setAttribute("aria-pressed", String(erase));
  }

  key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    event.stopPropagation();
    this.undo();
  }

  begin(event) {
    if (event.button !== 0) return;
    this.canvas.setPointerCapture(event.pointerId);
    this.strokes.push({ erase: this.erase || event.pointerType === "eraser", points: [this.point(event)] });
    this.draw();
  }

  extend(event) {
    if (!this.canvas.hasPointerCapture(event.pointerId)) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) this.strokes.at(-1).points.push(this.point(each));
    this.draw();
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    return [((event.clientX - box.left) / box.width) * SIZE, ((event.clientY - box.top) / box.height) * SIZE];
  }

  undo() {
    this.strokes.pop();
    this.draw();
  }

  clear() {
    this.strokes = [];
    this.draw();
  }

  draw() {
    const { context } = this;
    context.fillStyle = "#fff";
    context.fillRect(0, 0, SIZE, SIZE);
    context.lineCap = context.lineJoin = "round";
    for (const stroke of this.strokes) line(context, stroke);
    this.strokes = this.strokes.slice(-MOST_UNDOS * 10);
    const nothing = !this.strokes.some((stroke) => !stroke.erase);
    this.using.disabled = nothing;
    this.undoing.disabled = this.clearing.disabled = !this.strokes.length;
  }

  done() {
    this.canvas.toBlob((picture) => picture && this.onDone(picture), "image/png");
  }
}

function line(context, { erase, points }) {
  context.strokeStyle = erase ? "#fff" : "#000";
  context.lineWidth = erase ? ERASER : PEN;
  context.beginPath();
  context.moveTo(...points[0]);
  for (const point of points.length > 1 ? points.slice(1) : [[points[0][0] + 0.1, points[0][1]]]) context.lineTo(...point);
  context.stroke();
}
