// Keeps a WebSocket to the edge open for one user, and says in which state it is.
//
// States: connecting (asking for a token, or opening), online, reconnecting (waiting for the next attempt), offline (the
// browser has no network). Events: "state" {state, retryAt}, "envelope" {type, data}, "refused" (the name was not taken).
// Envelopes whose type begins with "edge." are the edge's own; before a token ends, the connection renews it.

const shortestWait = 500; // ms
const longestWait = 30_000; // ms
const leastWaits = { 4403: 10_000, 4429: 5_000, 1013: 3_000 }; // ms after kicked, rate limit, overload
const steadyAfter = 10_000; // ms online after which the next loss is taken for a new one
const loginTimeout = 10_000; // ms
const openTimeout = 15_000; // ms

export class Connection extends EventTarget {
  /** How long a request may stay unanswered before the connection is taken for dead, in ms. */
  answerTimeout = 10_000;
  #name = null;
  #socket = null;
  #attempts = 0;
  #timer = 0;
  #onlineSince = 0;

  constructor() {
    super();
    addEventListener("online", () => this.isStarted && this.connectNow());
    addEventListener("offline", () => this.isStarted && this.#wait());
  }

  get isStarted() {
    return this.#name !== null;
  }

  /** Connects as `name`, and again whenever the connection is lost. */
  start(name) {
    this.#name = name;
    this.connectNow();
  }

  /** Sends an envelope; dropped when not online, since everything that matters is said again after a reconnect. */
  send(type, data) {
    if (this.#onlineSince) this.#socket.send(JSON.stringify({ type, data }));
  }

  /** Connects without waiting any longer. */
  connectNow() {
    if (this.#onlineSince) return;
    this.#drop();
    this.#connect();
  }

  /** The other side has been silent for too long: opens a new connection. */
  suspect() {
    if (this.#onlineSince) this.#wait();
  }

  async #connect() {
    const socket = (this.#socket = new Attempt());
    this.#tell("connecting");
    try {
      await logIn(this.#name);
    } catch (error) {
      if (socket !== this.#socket) return;
      if (!(error instanceof RefusedName)) return this.#wait();
      this.#drop();
      this.#name = null;
      this.dispatchEvent(new CustomEvent("refused", { detail: error.message }));
      return;
    }
    if (socket !== this.#socket) return;
    socket.open({
      received: (envelope) => this.#received(envelope),
      ended: (code, reason) => this.#wait(retryAfter(reason) ?? leastWaits[code]),
    });
  }

  #received(envelope) {
    if (envelope.type === "welcome") {
      this.#onlineSince = Date.now();
      this.#tell("online");
    }
    if (envelope.type === "edge.token_expiring") this.#renew();
    this.dispatchEvent(new CustomEvent("envelope", { detail: envelope }));
  }

  /** Brings a new token; where that fails the edge closes with 4401, and the next connection begins with a login. */
  async #renew() {
    const socket = this.#socket;
    const token = await logIn(this.#name).catch(() => null);
    if (token && socket === this.#socket) this.send("edge.token", { token });
  }

  /** Lets go of the socket and tries again later: each wait up to twice as long, and never in step with other pages. */
  #wait(leastWait = 0) {
    if (this.#onlineSince && Date.now() - this.#onlineSince > steadyAfter) this.#attempts = 0;
    this.#drop();
    if (!navigator.onLine) return this.#tell("offline");
    const bound = Math.min(longestWait, shortestWait * 2 ** this.#attempts++);
    const wait = Math.max(leastWait, bound / 2) + (Math.random() * bound) / 2;
    this.#timer = setTimeout(() => this.#connect(), wait);
    this.#tell("reconnecting", Date.now() + wait);
  }

  #drop() {
    clearTimeout(this.#timer);
    this.#onlineSince = 0;
    this.#socket?.drop();
    this.#socket = null;
  }

  #tell(state, retryAt = null) {
    this.dispatchEvent(new CustomEvent("state", { detail: { state, retryAt } }));
  }
}

/** One WebSocket. Once dropped it says nothing more, however long the browser takes to close it. */
class Attempt {
  #socket = null;
  #timer = 0;

  open({ received, ended }) {
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "http:" ? "ws:" : "wss:";
    const socket = (this.#socket = new WebSocket(url, "chat.v1"));
    this.#timer = setTimeout(() => ended(), openTimeout);
    socket.onmessage = ({ data }) => {
      clearTimeout(this.#timer);
      received(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => ended(code, reason);
  }

  send(text) {
    this.#socket?.send(text);
  }

  drop() {
    clearTimeout(this.#timer);
    if (!this.#socket) return;
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
  }
}

/** When the edge says to come back, in ms: "ip_limit;retry_after=5". */
function retryAfter(reason = "") {
  const seconds = /;retry_after=(\d+)$/.exec(reason)?.[1];
  return seconds && Math.min(longestWait, seconds * 1000);
}

class RefusedName extends Error {}

/**
 * Asks for a token, which comes as a cookie that scripts cannot read. All windows of a browser share that cookie, and each
 * may have its own name, so every connection begins with this. Gives the token too: a message can bring it, no request can.
 */
async function logIn(name) {
  const response = await fetch("/login", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ name }),
    signal: AbortSignal.timeout(loginTimeout),
  });
  if (response.status === 404) return null; // no login here: the edge knows the user by other means
  if (response.ok) return (await response.json()).token;
  if (response.status === 422) throw new RefusedName((await response.json()).error.message);
  throw new Error(`login: ${response.status}`);
}
