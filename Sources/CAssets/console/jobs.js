// Kicks that are paced: how far each is, and a button that stops it.
import { button, element, make, setText } from "./dom.js";
import { count, counted } from "./format.js";
import { Poll } from "./poll.js";
import { notify } from "./notices.js";

const shownFor = 10_000; // ms after it is done

export class Jobs {
  constructor(api, onDone) {
    this.api = api;
    this.onDone = onDone;
  }

  /** Shows a job until a while after it is done. @param {{job: string, matched: number}} answer */
  follow({ job, matched }) {
    const path = `/connections/disconnect/${encodeURIComponent(job)}`;
    const text = make("span");
    const bar = make("progress", { max: matched, value: 0, "aria-label": "Connections closed" });
    const stop = button("Stop", () => this.#stop(path), { class: "danger" });
    const item = make("li", { "data-job": job }, text, bar, stop);
    element("jobs").append(item);
    const poll = new Poll({
      every: 1000,
      ask: (signal) => this.api.get(path, { signal }),
      show: (state) => {
        bar.value = matched - state.remaining;
        setText(text, summary(state));
        if (!state.done) return;
        poll.stop();
        stop.remove();
        this.onDone();
        setTimeout(() => item.remove(), shownFor);
      },
      fail: (error) => {
        if (error.status !== 404) return;
        poll.stop();
        item.remove();
      },
    });
    poll.start();
  }

  async #stop(path) {
    try {
      await this.api.send("DELETE", path);
    } catch (error) {
      notify(error.message, "failed");
    }
  }
}

function summary({ matched, closed, gone, remaining, done }) {
  const left = gone ? `, ${count(gone)} gone by themselves` : "";
  if (done) return `Closed ${count(closed)} of ${counted(matched, "connection")}${left}.`;
  return `Closing ${counted(matched, "connection")}: ${count(closed)} closed${left}, ${count(remaining)} to go`;
}
