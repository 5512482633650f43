/**
 * What is asked: a text, chips beside it, filters.
 *
 * @typedef {{key: number, type: "text" | "image" | "sketch" | "like", not: boolean, text?: string, file?: Blob,
 *   url?: string, id?: string}} Chip
 * @typedef {{text: string, chips: Chip[], filters: Record<string, string>, varied: boolean, sort: string,
 *   style: number}} Query  filters: those that are set, by name; style: what pictures ask for, from 0 (same subject) to 1
 *   (same style)
 */

const ANSWERS = 120;
export const MIDDLE = 0.5; // of the slider: what suits the index
let keys = 0;

/** @returns {Query} */
export function emptyQuery() {
  return { text: "", chips: [], filters: {}, varied: false, sort: "name", style: MIDDLE };
}

/** @param {Omit<Chip, "key">} values @returns {Chip} */
export function chip(values) {
  const url = values.file ? URL.createObjectURL(values.file) : undefined;
  return { not: false, url, ...values, key: ++keys };
}

/** @param {Chip} old */
export function release(old) {
  if (old.file && old.url) URL.revokeObjectURL(old.url);
}

/** Whether there is something to search by; without, the panel shows all models. */
export function asks(query) {
  return Boolean(query.text.trim()) || query.chips.length > 0;
}

/** Whether there is a picture whose style may count. */
export function shows(query) {
  return query.chips.some((each) => each.type === "image" && !each.not);
}

/** @param {Query} query @returns {[import("./api.mjs").SearchBody, import("./api.mjs").Pictures]} */
export function request(query) {
  const texts = (not) => query.chips.filter((each) => each.type === "text" && each.not === not).map((each) => each.text);
  const files = (keep) => query.chips.filter((each) => each.file && keep(each)).map((each) => each.file);
  const text = query.text.trim();
  const body = {
    text: text ? [text, ...texts(false)] : texts(false),
    like: query.chips.filter((each) => each.type === "like").map((each) => each.id),
    without: texts(true),
    ...query.filters,
    diverse: query.varied,
    ...(shows(query) && query.style !== MIDDLE ? { style: query.style } : {}),
    k: ANSWERS,
    explained: false, // a list does not show it
  };
  const pictures = {
    image: files((each) => each.type === "image" && !each.not),
    sketch: files((each) => each.type === "sketch" && !each.not),
    without: files((each) => each.not),
  };
  return [body, pictures];
}

/** The query without what it asks for: filters, order and variety stay. @param {Query} query @returns {Query} */
export function cleared(query) {
  return { ...query, text: "", chips: [] };
}
