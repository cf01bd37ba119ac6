// Every worker, and what an operator wants of it.
import { button, element } from "./dom.js";
import { count, counted } from "./format.js";
import { ActionDialog, wholeNumber } from "./dialogs.js";
import { notesOf } from "./sections.js";
import { notify } from "./notices.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";
import { workerName } from "./connection_columns.js";

export class Workers {
  #dialog = new ActionDialog(element("worker-dialog"));
  #weight = new ActionDialog(element("weight-dialog"));

  constructor({ api, roles }) {
    Object.assign(this, { api, roles });
    const notes = notesOf(element("workers"));
    const table = new Table(element("workers-table"), this.#columns(), {
      key: ({ pool, path }) => `${pool} ${path}`, empty: "No pool has a worker: nobody can be served.",
    });
    this.poll = new Poll({
      every: 2000, ask: (signal) => api.get("/workers", { signal }), fail: notes.fail,
      show: ({ workers }) => {
        notes.clear();
        table.show(workers);
        element("worker-names").replaceChildren(...workers.map(({ path }) => new Option(workerName(path), path)));
      },
    });
  }

  #columns() {
    return [
      { id: "name", title: "Worker", isHeader: true, text: ({ name, path }) => name ?? workerName(path), hint: ({ path }) => path },
      { id: "pool", title: "Pool", text: ({ pool }) => pool },
      { id: "state", title: "State", text: stateText, tone: stateTone },
      { id: "connections", title: "Connections", isNumeric: true, text: ({ connections }) => count(connections) },
      { id: "weight", title: "Weight", isNumeric: true, text: ({ weight }) => count(weight) },
      {
        id: "failures", title: "Failed", isNumeric: true, text: ({ connect_failures: failures }) => count(failures),
        hint: () => "Connects that failed",
      },
      { id: "actions", title: "Actions", make: (current) => this.#buttons(current), update: drawButtons },
    ];
  }

  #buttons(current) {
    const guarded = (name, label, act) => this.roles.guard(button(label, act, { class: "row", "data-action": name }), "operator");
    return [
      guarded("ready", "Ready", () => this.#ready(current())),
      guarded("drain", "Drain", () => this.#leave(current(), "drain")),
      guarded("maint", "Maint", () => this.#leave(current(), "maint")),
      guarded("weight", "Weight", () => this.#weigh(current())),
    ];
  }

  /** Takes it back: that needs no question. */
  async #ready(worker) {
    try {
      await this.#patch(worker, { state: "ready" });
      notify(`${workerName(worker.path)} takes clients again.`);
    } catch (error) {
      notify(error.message, "failed");
    }
  }

  #leave(worker, state) {
    const isMaint = state === "maint";
    const name = workerName(worker.path);
    const clients = counted(worker.connections, "client");
    this.#dialog.open({
      title: isMaint ? `Take ${name} out for maintenance?` : `Send ${name} no new clients?`,
      confirm: isMaint ? `Take it out, close ${clients}` : "Drain it", hides: isMaint ? ["close_clients"] : [],
      countsBy: ["close_clients"],
      count: ({ close_clients: closes }) => ({
        text: isMaint || closes ? `Its ${clients} are closed with 1012 and come back to other workers.` : `Its ${clients} stay.`,
        confirm: isMaint || closes ? `${isMaint ? "Take it out" : "Drain it"}, close ${clients}` : "Drain it",
      }),
      act: async ({ close_clients: closes, spread_seconds: spread }) => {
        const pace = isMaint || closes ? { spread_seconds: wholeNumber(spread) } : {};
        const { closing } = await this.#patch(worker, { state, ...(!isMaint && closes && { close_clients: true }), ...pace });
        return `${name} is in ${state}${closing ? `; ${counted(closing, "client")} will be closed` : ""}.`;
      },
    });
  }

  #weigh(worker) {
    const name = workerName(worker.path);
    this.#weight.open({
      title: `Weight of ${name}`, confirm: "Set weight", values: { weight: String(worker.weight) },
      act: async ({ weight }) => {
        await this.#patch(worker, { weight: Number(weight) });
        return `${name} has weight ${weight}.`;
      },
    });
  }

  /** Names it by its whole path: file names may be the same in two pools. */
  async #patch(worker, change) {
    const answer = await this.api.send("PATCH", `/workers/${encodeURIComponent(worker.path)}`, change);
    this.poll.now();
    return answer;
  }
}

function stateText({ state, up }) {
  return state === "ready" ? (up ? "up" : "down") : up ? state : `${state}, down`;
}

function stateTone({ state, up }) {
  return !up ? "danger" : state === "ready" ? "good" : "warning";
}

function drawButtons({ state }, cell) {
  for (const part of cell.children) part.toggleAttribute("data-active", part.dataset.action === state);
}
