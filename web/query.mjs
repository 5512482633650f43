/**
 * What is asked: a text, chips beside it, filters.
 *
 * @typedef {{key: number, type: "text" | "image" | "sketch" | "like", not: boolean, text?: string, file?: Blob,
 *   url?: string, id?: string}} Chip
 * @typedef {{text: string, chips: Chip[], kind: string, architecture: string, folder: string, varied: boolean,
 *   sort: string}} Query
 */

const ANSWERS = 120;
let keys = 0;

/** @returns {Query} */
export function emptyQuery() {
  return { text: "", chips: [], kind: "", architecture: "", folder: "", varied: false, sort: "name" };
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

/** @param {Query} query @returns {[import("./api.mjs").SearchBody, import("./api.mjs").Pictures]} */
export function request(query) {
  const texts = (not) => query.chips.filter((each) => each.type === "text" && each.not === not).map((each) => each.text);
  const files = (keep) => query.chips.filter((each) => each.file && keep(each)).map((each) => each.file);
  const text = query.text.trim();
  const body = {
    text: text ? [text, ...texts(false)] : texts(false),
    like: query.chips.filter((each) => each.type === "like").map((each) => each.id),
    without: texts(true),
    ...filters(query),
    diverse: query.varied,
    k: ANSWERS,
  };
  const pictures = {
    image: files((each) => each.type === "image" && !each.not),
    sketch: files((each) => each.type === "sketch" && !each.not),
    without: files((each) => each.not),
  };
  return [body, pictures];
}

/** The filters that are set. */
export function filters({ kind, architecture, folder }) {
  return Object.fromEntries(Object.entries({ kind, architecture, folder }).filter(([, value]) => value));
}
