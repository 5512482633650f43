/** Where the shown models come from: one answer of a search, or all models, page by page as they come into sight. */

import { ApiError } from "./api.mjs";
import { asks, request } from "./query.mjs";

const PAGE = 100;

/** @typedef {{count: number, at: (index: number) => any, named: any[], searched: boolean, seconds?: number}} Results */

/** @returns {Promise<Results>} */
export async function find(api, query, signal, onPage) {
  return asks(query) ? search(api, query, signal) : browse(api, query, signal, onPage);
}

async function search(api, query, signal) {
  const [body, pictures] = request(query);
  const { matches, named, seconds, answer } = await api.search(body, pictures, signal);
  for (const match of matches) match.answer = answer;
  const shown = new Set(matches.slice(0, 3).map((match) => match.id));
  return {
    count: matches.length,
    at: (index) => matches[index],
    named: named.filter((model) => !shown.has(model.id)),
    searched: true,
    seconds,
  };
}

async function browse(api, query, signal, onPage) {
  const pages = new Map();
  const load = async (page) => {
    pages.set(page, []);
    const { models, total } = await api.models({ ...query.filters, sort: query.sort, offset: page * PAGE, limit: PAGE }, signal);
    pages.set(page, models);
    return total;
  };
  const need = (page) =>
    load(page).then(
      () => onPage(page * PAGE, pages.get(page).length),
      (error) => {
        pages.delete(page);
        if (!(error instanceof ApiError) && error?.name !== "AbortError") throw error;
      },
    );
  const count = await load(0);
  return {
    count,
    named: [],
    searched: false,
    at(index) {
      if (index < 0 || index >= count) return null;
      const page = Math.floor(index / PAGE);
      if (!pages.has(page)) need(page);
      return pages.get(page)[index % PAGE] ?? null;
    },
  };
}
