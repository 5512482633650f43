/**
 * The panel's HTTP API in the browser.
 *
 * @typedef {Object} Match a model as the server describes it: id, name, title, path, kind, architecture, evidence,
 *   trigger_words, strength, thumbnails (numbers of samples), listed (what the host calls it), and after a search rank,
 *   relevance, confidence, weak and explanation
 * @typedef {{text?: string[], like?: string[], without?: string[], method?: string, k?: number, diverse?: boolean,
 *   style?: number} & Record<string, any>} SearchBody  and filters of the status, by name
 * @typedef {{image?: Blob[], sketch?: Blob[], without?: Blob[]}} Pictures
 * @typedef {ReturnType<typeof createApi>} Api
 */

/** What the server refused, in words for the user. `status` is 0 when it could not be reached. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {Record<string, any>} more */
  constructor(status, message, more = {}) {
    super(message);
    this.status = status;
    this.more = more;
  }
}

/**
 * @param {{fetch?: (path: string, options?: RequestInit) => Promise<Response>, url?: (path: string) => string}} [host]
 *   how a host reaches its own server; paths begin with `/modelsearch/`. ComfyUI: `api.fetchApi` and `api.apiURL`.
 */
export function createApi({ fetch = (path, options) => globalThis.fetch(path, options), url = (path) => path } = {}) {
  const call = (path, options) => request(fetch, `/modelsearch/${path}`, options);
  const post = (path, body) =>
    call(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const of = (id) => `models/${encodeURIComponent(id)}`;
  return {
    status: () => call("status"),
    /** @param {SearchBody} body @param {Pictures} pictures @param {AbortSignal} [signal] */
    search: (body, pictures, signal) => call("search", { method: "POST", body: form(body, pictures), signal }),
    /** @param {Record<string, string | number>} query @param {AbortSignal} [signal] */
    models: (query, signal) => call(`models?${new URLSearchParams(Object.entries(query))}`, { signal }),
    /** @param {string} [answer] of a search, which says why the model stands where it does */
    model: (id, answer) => call(answer ? `${of(id)}?answer=${encodeURIComponent(answer)}` : of(id)),
    sampleUrl: (id, number) => url(`/modelsearch/${of(id)}/samples/${number}.webp`),
    /** Of a model as it is shown: its own pictures, or else those that lie beside its file. @param {Match} match */
    pictureUrl: (match, number) => url(`/modelsearch/${of(match.id)}/${match.evidence ? "samples" : "previews"}/${number}.webp`),
    baseUrl: (id, number) => url(`/modelsearch/${of(id)}/base/${number}.webp`),
    /** @param {"output" | "base" | "drawing" | "subject"} part of a drawing that the model filled out */
    paintedUrl: (id, part, number) => url(`/modelsearch/${of(id)}/painted/${part}/${number}.webp`),
    savePreview: (id, number, replace) => post(`${of(id)}/preview`, { number, replace }),
    byHand: (id) => call(`${of(id)}/by_hand`),
    /** @param {Record<string, any>} values architecture, base, trigger_words; null is what the file says */
    setByHand: (id, values) => post(`${of(id)}/by_hand`, values),
    /** @param {boolean} dry only counts the models that have none */
    savePreviews: (dry) => post("previews", { dry }),
    classifiers: () => call("classifiers"),
    /** Begins to ask what is new in the host's folders. */
    askClassifiers: () => post("classifiers", {}),
    /** @param {Record<string, any>} body text, kind, k @param {Pictures} pictures @param {AbortSignal} [signal] */
    searchClassifiers: (body, pictures, signal) => call("classifiers/search", { method: "POST", body: form(body, pictures), signal }),
    classifierTrust: () => call("classifiers/trust"),
    classifier: (id) => call(`classifiers/${encodeURIComponent(id)}`),
    /** @param {string} set the probes' digest: other sets number other pictures */
    probeUrl: (number, set) => url(`/modelsearch/classifiers/probes/${number}.webp?set=${set}`),
    map: () => call("map"),
    check: () => call("check"),
    startCheck: () => post("check", {}),
    duplicates: (id) => call(`duplicates${id ? `?of=${encodeURIComponent(id)}` : ""}`),
    indexing: () => call("index"),
    /** @param {Record<string, any>} body action (start, pause, resume, cancel, retry, folders) and what it needs */
    changeIndexing: (body) => post("index", body),
  };
}

async function request(fetch, path, options) {
  let response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (error?.name === "AbortError") throw error;
    throw new ApiError(0, "");
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new ApiError(response.status, answer.error ?? response.statusText, answer);
  return answer;
}

function form(body, pictures) {
  const data = new FormData();
  data.append("query", JSON.stringify(body));
  for (const [name, blobs] of Object.entries(pictures)) for (const blob of blobs) data.append(name, blob, "picture");
  return data;
}
