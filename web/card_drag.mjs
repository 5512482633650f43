/** A card that is dragged out of the panel, and what takes it. */

const TYPE = "application/x-modelsearch-card";

/** @param {DragEvent} event @param {import("./api.mjs").Match} match */
export function carry(event, match) {
  const { kind, listed, strength, name } = match;
  event.dataTransfer.effectAllowed = "copy";
  event.dataTransfer.setData(TYPE, JSON.stringify({ kind, listed, strength, name }));
  const picture = event.currentTarget.querySelector("img");
  if (picture) event.dataTransfer.setDragImage(picture, 40, 40);
}

/**
 * Takes cards that are let go anywhere but on the panel, before a host's own listeners see them.
 *
 * @param {(match: any, event: DragEvent) => void} onCard
 */
export function takeCards(onCard) {
  const isCard = (event) => [...(event.dataTransfer?.types ?? [])].includes(TYPE) && !event.target.closest?.(".modelsearch");
  const stop = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (event) => {
    if (!isCard(event)) return;
    stop(event);
    event.dataTransfer.dropEffect = "copy";
  };
  const drop = (event) => {
    if (!isCard(event)) return;
    stop(event);
    onCard(JSON.parse(event.dataTransfer.getData(TYPE)), event);
  };
  document.addEventListener("dragover", over, true);
  document.addEventListener("drop", drop, true);
}
