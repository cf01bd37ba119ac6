// Speaks with the admin API of the edge that served this page. Says of every request whether the edge could be reached.

const timeout = 10_000; // ms that an answer may take
const base = "/api/v1";

/** What the API answers instead of what was asked for: a problem of RFC 9457. */
export class Problem extends Error {
  /** @param {number} status @param {any} body */
  constructor(status, body) {
    super(body?.detail ?? `The edge answered ${status}.`);
    this.status = status;
    /** The machine word, such as `role_too_low`. */
    this.word = body?.error ?? "";
    /** The member that is wrong, if it is one. */
    this.member = String(body?.pointer ?? body?.field ?? "").replace(/^.*\//, "");
    /** Every error of a configuration. @type {{path?: string, line?: number, column?: number, message: string}[]} */
    this.errors = body?.errors ?? [];
  }

  /** Whether this edge has no such endpoint, rather than no such thing at it. */
  get isAbsent() {
    return this.status === 404 && !this.word.startsWith("no_such");
  }
}

/** No answer came: the network, or the edge, is away. */
export class Unreachable extends Error {
  constructor() {
    super("The edge does not answer.");
  }
}

/** Events: `reached`, `unreachable`, and `signedOut` with the problem as detail where the token is no longer taken. */
export class API extends EventTarget {
  /** The token; null on a Unix socket, where none is needed. @type {string|null} */
  token = null;

  /** Asks for something. `undefined` and empty members of the query are left out. */
  get(path, { query = {}, signal } = {}) {
    const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
    const text = new URLSearchParams(given).toString();
    return this.#json("GET", text ? `${path}?${text}` : path, { signal });
  }

  /** The same as text, in a media type. */
  async getText(path, type, { signal } = {}) {
    return (await this.#request("GET", path, { signal, headers: { Accept: type } })).text();
  }

  /** Changes something. @param {"POST"|"PUT"|"PATCH"|"DELETE"} method */
  send(method, path, body, { signal } = {}) {
    const isJSON = body !== undefined || method !== "DELETE";
    const headers = isJSON ? { "Content-Type": "application/json" } : {};
    return this.#json(method, path, { signal, headers, body: isJSON ? JSON.stringify(body ?? {}) : undefined });
  }

  /** Opens a stream that lasts until `signal` ends it. @returns {Promise<ReadableStream<Uint8Array>>} */
  async stream(path, signal) {
    const response = await this.#request("GET", path, { signal, isEndless: true, headers: { Accept: "text/event-stream" } });
    return response.body;
  }

  async #json(method, path, options) {
    const response = await this.#request(method, path, options);
    return response.status === 204 ? null : response.json();
  }

  async #request(method, path, { signal, headers = {}, body, isEndless = false }) {
    const token = this.token;
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const ends = [signal, isEndless ? undefined : AbortSignal.timeout(timeout)].filter(Boolean);
    let response;
    try {
      response = await fetch(base + path, {
        method, body, headers: { ...headers, ...authorization }, signal: AbortSignal.any(ends), cache: "no-store",
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      this.dispatchEvent(new Event("unreachable"));
      throw new Unreachable();
    }
    this.dispatchEvent(new Event("reached"));
    if (response.ok) return response;
    const problem = new Problem(response.status, await response.json().catch(() => null));
    if (response.status === 401 && token === this.token) this.dispatchEvent(new CustomEvent("signedOut", { detail: problem }));
    throw problem;
  }
}
