/** One more entry in the menu that ComfyUI opens on a picture of its assets or its queue. */

const PATIENCE = 1500; // milliseconds in which the menu opens
const MENU = '[role="menu"], .p-contextmenu';
const ENTRY = '[role="menuitem"]';

/**
 * @param {() => string} label in the language of now
 * @param {(url: string) => void} onPicture
 */
export function extendPictureMenus(label, onPicture) {
  const opened = (event) => {
    const url = pictureAt(event.clientX, event.clientY);
    if (url) soon(openMenu, (menu) => add(menu, label(), () => onPicture(url)));
  };
  document.addEventListener("contextmenu", opened, true);
}

/** The address of a picture that ComfyUI serves; nothing on the graph, whose nodes have menus of their own. */
function pictureAt(x, y) {
  const there = document.elementsFromPoint(x, y);
  if (there.some((element) => element.closest(".modelsearch, [data-node-id]"))) return "";
  const pictures = there.filter((element) => element.tagName === "IMG" && /\/view\?/.test(element.src));
  return pictures[0]?.src ?? "";
}

function openMenu() {
  const menus = [...document.querySelectorAll(MENU)].filter((menu) => menu.querySelector(ENTRY) && menu.offsetParent);
  return menus.at(-1);
}

/** Calls with what is found as soon as it is there, if it comes at all. */
function soon(look, found) {
  const end = performance.now() + PATIENCE;
  const again = () => {
    const what = look();
    if (what) found(what);
    else if (performance.now() < end) requestAnimationFrame(again);
  };
  setTimeout(again, 50); // a menu that was open before is closed first
}

/** A copy of the menu's first entry, with our words. */
function add(menu, label, run) {
  menu.querySelector(".ms-menu-entry")?.remove();
  const model = menu.querySelector(`${ENTRY}:not([aria-disabled="true"])`) ?? menu.querySelector(ENTRY);
  const entry = model.cloneNode(true);
  entry.classList.add("ms-menu-entry");
  for (const each of [entry, ...entry.querySelectorAll("[id]")]) each.removeAttribute("id");
  entry.setAttribute("aria-label", label);
  for (const icon of entry.querySelectorAll('i, svg, [class*="icon"]:empty')) icon.setAttribute("class", "p-contextmenu-item-icon pi pi-images");
  const words = [...entry.querySelectorAll("*")].filter((each) => !each.children.length && each.textContent.trim());
  for (const [n, each] of words.entries()) each.textContent = n ? "" : label;
  entry.addEventListener("click", (event) => {
    event.stopPropagation();
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", code: "Escape", bubbles: true }));
    entry.remove();
    run();
  });
  model.after(entry);
}
