/** Pictures dropped anywhere on the panel: on one half for "like this", on the other for "not like this". */

import { h, icon } from "./elements.mjs";

export class DropZone {
  /** @param {HTMLElement} root @param {{t: Function}} context @param {(files: File[], not: boolean) => void} take */
  constructor(root, { t }, take) {
    this.take = take;
    const half = (not, name, label) => h("div", { class: "ms-drop-half", dataset: { not: String(not) } }, icon(name), h("span", { text: t(label) }));
    this.overlay = h("div", { class: "ms-drop", hidden: true }, half(false, "image", "drop_like"), half(true, "not", "drop_not"));
    root.append(this.overlay);
    for (const type of ["dragenter", "dragover", "dragleave", "drop"]) root.addEventListener(type, (event) => this[type](event));
  }

  dragenter(event) {
    if (!hasFiles(event)) return;
    stop(event);
    this.overlay.hidden = false;
  }

  dragover(event) {
    if (!hasFiles(event)) return;
    stop(event);
    event.dataTransfer.dropEffect = "copy";
    this.overlay.hidden = false;
    const over = event.target.closest?.(".ms-drop-half");
    for (const half of this.overlay.children) half.classList.toggle("ms-over", half === over);
  }

  dragleave(event) {
    const to = event.relatedTarget;
    if (!to || !event.currentTarget.contains(to)) this.overlay.hidden = true;
  }

  drop(event) {
    this.overlay.hidden = true;
    const files = [...(event.dataTransfer?.files ?? [])];
    if (!files.length) return;
    stop(event);
    this.take(files, event.target.closest?.(".ms-drop-half")?.dataset.not === "true");
  }
}

function hasFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

function stop(event) {
  event.preventDefault();
  event.stopPropagation();
}
