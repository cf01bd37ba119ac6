// Asks for one thing again and again: never twice at the same time, and not while nobody looks.

const longestWait = 15_000; // ms between attempts while the edge does not answer

export class Poll {
  #isRunning = false;
  #timer = 0;
  #failures = 0;
  /** @type {AbortController|null} */
  #current = null;

  /**
   * @param {object} task
   * @param {number} task.every  ms between an answer and the next question
   * @param {(signal: AbortSignal) => Promise<any>} task.ask
   * @param {(answer: any) => void} task.show
   * @param {(error: Error) => void} [task.fail]  told of every failure; the poll goes on, but for an endpoint that is absent
   */
  constructor({ every, ask, show, fail = () => {} }) {
    Object.assign(this, { every, ask, show, fail });
    document.addEventListener("visibilitychange", () => this.#isRunning && (document.hidden ? this.#pause() : this.now()));
  }

  start() {
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#failures = 0;
    this.now();
  }

  stop() {
    this.#isRunning = false;
    this.#pause();
  }

  /** Asks at once. What was asked before is no longer waited for: its answer would be of yesterday. */
  now() {
    if (!this.#isRunning) return;
    this.#pause();
    if (!document.hidden) this.#ask();
  }

  #pause() {
    clearTimeout(this.#timer);
    this.#current?.abort();
    this.#current = null;
  }

  async #ask() {
    const current = (this.#current = new AbortController());
    let wait = this.every;
    try {
      const answer = await this.ask(current.signal);
      if (current.signal.aborted) return;
      this.#failures = 0;
      this.show(answer);
    } catch (error) {
      if (current.signal.aborted) return;
      this.fail(error);
      if (error.isAbsent) return;
      this.#failures += 1;
      wait = Math.min(this.every * 2 ** Math.min(this.#failures, 4), longestWait);
    }
    if (current.signal.aborted) return;
    this.#current = null;
    this.#timer = setTimeout(() => this.#ask(), wait);
  }
}
