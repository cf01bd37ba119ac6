// Says how old what is shown is. Numbers of a minute ago look like numbers of now, so the page says it, and fades them.
import { element, setText } from "./dom.js";
import { clock, duration } from "./format.js";

const staleAfter = 6_000; // ms without an answer

export class Freshness {
  #reachedAt = Date.now();
  #isUnreachable = false;
  #time = "";

  /** @param {import("./api.js").API} api @param {() => void} retry */
  constructor(api, retry) {
    api.addEventListener("reached", () => {
      this.#reachedAt = Date.now();
      this.#isUnreachable = false;
      this.#draw();
    });
    api.addEventListener("unreachable", () => {
      this.#isUnreachable = true;
      this.#draw();
    });
    element("retry").addEventListener("click", retry);
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.#isUnreachable) this.#reachedAt = Date.now(); // it was we who did not ask
    });
    setInterval(() => this.#draw(), 1000);
  }

  /** The edge's own time of the newest status. */
  stamp(now) {
    this.#time = now;
    this.#draw();
  }

  #draw() {
    const age = Date.now() - this.#reachedAt;
    const isStale = this.#isUnreachable || (age > staleAfter && !document.hidden);
    document.body.toggleAttribute("data-stale", isStale);
    element("unreachable").hidden = !isStale;
    setText(element("unreachable-text"), isStale ? "The edge does not answer. What you see is old." : "");
    setText(element("unreachable-age"), isStale ? `${duration(age / 1000)} old` : "");
    setText(element("clock"), this.#time ? `${clock(this.#time)} UTC` : "");
  }
}
