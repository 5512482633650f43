/** Elements without innerHTML: names of models and files are untrusted text. */

/**
 * @param {string} tag
 * @param {Record<string, any>} [props] attributes; `class`, `text`, `dataset`, and `onclick`-like listeners
 * @param {...(Node | string | null | undefined | false)} children
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) set(element, name, value);
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

function set(element, name, value) {
  if (value === undefined || value === null || value === false) return;
  if (name === "class") element.className = value;
  else if (name === "text") element.textContent = value;
  else if (name === "dataset") Object.assign(element.dataset, value);
  else if (name === "style") for (const [key, each] of Object.entries(value)) element.style.setProperty(key, each);
  else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
  else if (name in element && typeof value !== "string") element[name] = value;
  else element.setAttribute(name, value === true ? "" : value);
}

const SVG = "http://www.w3.org/2000/svg";

/** Paths of 24 × 24 line icons. */
const ICONS = {
  search: "M10.5 4a6.5 6.5 0 1 1 0 13 6.5 6.5 0 0 1 0-13M15.4 15.4 20 20",
  image: "M4.5 5h15v14h-15zM4.5 16l4.5-4.5 4 4 2.5-2.5 4 4M15 9.2h.01",
  pen: "M4 20l1-4L16.5 4.500l3 3L8 19zM14 7l3 3",
  not: "M5 12h14",
  add: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  copy: "M9 9h10v11H9zM5 15V4h10",
  similar: "M4 4h7v7H4zM13 13h7v7h-7zM14.500 6.500h5M17 4v5M4.500 17h5",
  twins: "M4 7h11v13H4zM9 7V4h11v13h-5",
  save: "M5 4h11l3 3v13H5zM8 4v5h7V4M8 20v-6h8v6",
  insert: "M12 4v11M7.500 10.500 12 15l4.500-4.500M5 20h14",
  target: "M12 5a7 7 0 1 1 0 14 7 7 0 0 1 0-14M12 2v4M12 18v4M2 12h4M18 12h4",
  stack: "M12 4l8 4-8 4-8-4zM4 12.500l8 4 8-4M4 16.500l8 4 8-4",
  filter: "M4 6h16M7 12h10M10 18h4",
  undo: "M8 5 4 9l4 4M4 9h9a6 6 0 0 1 0 12h-3",
  eraser: "M9 19h11M4.500 14.500 13 6l5 5-7.500 8H8z",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  check: "M5 12.500l4.500 4.500L19 7.500",
  warn: "M12 4 2.500 20h19zM12 10v4.500M12 17.300h.01",
  pause: "M9 5v14M15 5v14",
  play: "M8 5l11 7-11 7z",
  retry: "M19 12a7 7 0 1 1-2.300-5.200M19 3v5h-5",
  folder: "M3.500 6h6l2 2.500h9V19h-17z",
  sun: "M12 8a4 4 0 1 1 0 8 4 4 0 0 1 0-8M12 2.500v2M12 19.500v2M2.500 12h2M19.500 12h2M5.300 5.300l1.400 1.400M17.300 17.300l1.400 1.400M18.700 5.300l-1.400 1.400M6.700 17.300l-1.400 1.400",
  moon: "M19.500 14.500A8 8 0 0 1 9.500 4.500a8 8 0 1 0 10 10z",
  back: "M14 5l-7 7 7 7",
  forward: "M10 5l7 7-7 7",
  compare: "M12 3v18M4 6h5v12H4zM15 6h5v12h-5z",
  map: "M9 4 3.500 6.500v13L9 17l6 3 5.500-2.500v-13L15 7zM9 4v13M15 7v13",
  fit: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5",
  words: "M5 6h14M5 11h14M5 16h8",
};

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: "ms-icon", "aria-hidden": "true" })) {
    svg.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon; `label` is its name for everybody, shown beside the icon when `shown`. */
export function button(label, { icon: name, shown = true, class: extra = "", ...props } = {}) {
  const text = shown ? h("span", { text: label }) : null;
  const aria = shown ? {} : { "aria-label": label, title: label };
  return h("button", { type: "button", class: `ms-button ${extra}`, ...aria, ...props }, name && icon(name), text);
}

/** Replaces what an element holds. */
export function fill(element, ...children) {
  element.replaceChildren(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Calls `run` once `wait` milliseconds have passed without another call. */
export function debounced(run, wait) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...values), wait);
  };
}
