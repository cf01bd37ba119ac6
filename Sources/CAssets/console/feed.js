// What happens on the edge, as it happens: a list of bounded length, newest first.
import { element, make, setText } from "./dom.js";
import { clock, count, text, words } from "./format.js";
import { events } from "./sse.js";
import { notesOf } from "./sections.js";
import { Unreachable } from "./api.js";

const most = 300; // events that are kept
const longestWait = 15_000; // ms between attempts
const hiddenFor = 60_000; // ms after which a hidden tab gives its place among the readers back
const tones = { opened: "good", closed: null, denied: "danger", throttled: "warning", lost: "warning", drain: "warning" };
const who = ["user", "client_address"];
const unsaid = ["at", "type", "kind", "conn_id", ...who];

export class EventsView {
  /** Those that are not shown yet, oldest first. @type {HTMLElement[]} */
  #waiting = [];
  /** @type {AbortController|null} */
  #stream = null;
  #isShown = false;
  #isPaused = false;
  #isDrawing = false;
  #hiddenTimer = 0;

  constructor({ api }) {
    this.api = api;
    this.list = element("event-list");
    this.notes = notesOf(element("events"));
    element("pause").addEventListener("click", () => this.#pause(!this.#isPaused));
    element("clear-events").addEventListener("click", () => {
      this.#waiting = [];
      this.list.replaceChildren();
      this.#draw();
    });
    element("event-types").addEventListener("change", () => this.#reopen());
    document.addEventListener("visibilitychange", () => {
      clearTimeout(this.#hiddenTimer);
      if (document.hidden) this.#hiddenTimer = setTimeout(() => this.#close(), hiddenFor);
      else if (this.#isShown && !this.#stream) this.#reopen();
      this.#draw();
    });
  }

  show() {
    this.#isShown = true;
    if (!this.#stream) this.#reopen();
    this.#draw();
  }

  /** The stream goes on: who comes back finds what happened meanwhile. */
  hide() {
    this.#isShown = false;
  }

  refresh() {}

  #reopen() {
    this.#close();
    this.#read((this.#stream = new AbortController()).signal);
  }

  #close() {
    this.#stream?.abort();
    this.#stream = null;
    this.#state("Not connected");
  }

  async #read(signal) {
    for (let attempt = 0; !signal.aborted; attempt += 1) {
      try {
        const types = [...element("event-types").elements].filter(({ checked }) => checked).map(({ value }) => value);
        const stream = await this.api.stream(`/events?types=${types.join(",")}`, signal);
        this.notes.clear();
        this.#state("Live");
        for await (const event of events(stream)) {
          attempt = 0;
          this.#add(event);
        }
      } catch (error) {
        if (signal.aborted) return;
        if (!(error instanceof TypeError || error instanceof Unreachable)) this.notes.fail(error);
        if (error.isAbsent) return this.#state("Not connected");
      }
      if (signal.aborted) return;
      this.#state("Connecting again…");
      await new Promise((resolve) => setTimeout(resolve, Math.min(500 * 2 ** attempt, longestWait)));
    }
  }

  #add({ type, data }) {
    let event;
    try {
      event = JSON.parse(data);
    } catch {
      return; // not ours
    }
    this.#waiting.push(itemOf(type, event));
    if (this.#waiting.length > most) this.#waiting.shift();
    this.#draw();
  }

  #pause(isPaused) {
    this.#isPaused = isPaused;
    element("pause").setAttribute("aria-pressed", isPaused);
    this.#draw();
  }

  /** Many events may come at once: the list follows once a frame, and not while nobody looks. */
  #draw() {
    if (this.#isDrawing || document.hidden || !this.#isShown) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      setText(element("pause"), this.#isPaused ? `Go on (${count(this.#waiting.length)} new)` : "Pause");
      if (this.#isPaused) return;
      this.list.prepend(...this.#waiting.reverse());
      this.#waiting = [];
      while (this.list.children.length > most) this.list.lastChild.remove();
      element("no-events").hidden = this.list.children.length > 0;
    });
  }

  #state(text) {
    setText(element("stream-state"), text);
    element("stream-state").dataset.live = text === "Live";
  }
}

function itemOf(type, event) {
  const people = who.map((name) => event[name]).filter(Boolean).join(" · ");
  const rest = Object.entries(event).filter(([name, value]) => !unsaid.includes(name) && value !== null && value !== "");
  const facts = rest.flatMap(([name, value]) => [
    make("span", { class: "fact" }, make("span", { class: "name" }, words(name)), " ", written(value)), " ",
  ]);
  return make("li", { "data-type": type },
    make("time", { datetime: text(event.at) }, clock(event.at)),
    make("span", { class: "type", "data-tone": tones[type] }, type),
    make("bdi", { class: "who" }, people),
    make("span", { class: "facts" }, ...(type === "lost" ? [`${count(event.count)} events came too fast to be shown`] : facts)));
}

function written(value) {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
