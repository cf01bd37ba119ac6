// What the edge said of itself in the last minutes, and what follows from it: rates, and sums over that time.

const capacity = 150; // statuses; five minutes at one in two seconds

export class History {
  /** @type {{at: number, status: any}[]} oldest first */
  #samples = [];

  /** Keeps a status. One of another process begins anew: its counters do. */
  add(status) {
    if (this.#samples.at(-1)?.status.started_at !== status.started_at) this.#samples = [];
    this.#samples.push({ at: Date.parse(status.now), status });
    if (this.#samples.length > capacity) this.#samples.shift();
  }

  clear() {
    this.#samples = [];
  }

  get latest() {
    return this.#samples.at(-1)?.status;
  }

  /** Seconds between the oldest and the newest status. */
  get seconds() {
    return this.#samples.length < 2 ? 0 : (this.#samples.at(-1).at - this.#samples[0].at) / 1000;
  }

  /** A member's values; those that are not numbers are left out. @param {(status: any) => number} read */
  values(read) {
    return this.#samples.map(({ status }) => read(status)).filter((value) => typeof value === "number");
  }

  /** How fast a counter grew from one status to the next, a second. @param {(status: any) => number} read */
  rates(read) {
    const rates = [];
    for (let index = 1; index < this.#samples.length; index += 1) {
      const [before, after] = [this.#samples[index - 1], this.#samples[index]];
      const seconds = (after.at - before.at) / 1000;
      const growth = read(after.status) - read(before.status);
      if (seconds > 0 && !Number.isNaN(growth)) rates.push(Math.max(0, growth) / seconds);
    }
    return rates;
  }

  /** How much a counter grew over the whole time. @param {(status: any) => number} read */
  growth(read) {
    if (this.#samples.length < 2) return 0;
    return Math.max(0, read(this.#samples.at(-1).status) - read(this.#samples[0].status)) || 0;
  }
}
