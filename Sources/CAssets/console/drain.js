// Sends everybody away, or takes them back.
import { element, setText } from "./dom.js";
import { counted, duration } from "./format.js";
import { ActionDialog, seconds } from "./dialogs.js";

export class Drain {
  #status = null;

  constructor({ api, roles, confirm, onDone }) {
    const dialog = new ActionDialog(element("drain-dialog"));
    this.button = roles.guard(element("drain"), "operator");
    const drain = () => dialog.open({
      title: "Drain this edge?", confirm: "Drain",
      countsBy: ["spread_seconds"],
      count: (values) => {
        const { spread_seconds: spread } = orderOf(values);
        const over = spread ? `, spread over ${duration(spread)}` : "";
        const text = `${counted(this.#status.connections, "connection")} will be closed with 1012${over}. Newcomers are refused; `;
        return { text: `${text}the process stays.` };
      },
      act: async (values) => {
        const { connections } = await api.send("POST", "/drain", orderOf(values));
        onDone();
        return `Draining ${counted(connections, "connection")}.`;
      },
    });
    const undrain = () => confirm.open({
      title: "Take clients again?", confirm: "Undrain",
      count: () => ({ text: "The edge serves as before; who is still here stays." }),
      act: async () => {
        await api.send("POST", "/undrain");
        onDone();
        return "The edge takes clients again.";
      },
    });
    this.button.addEventListener("click", () => (this.#status?.draining ? undrain() : drain()));
  }

  draw(status) {
    this.#status = status;
    setText(this.button, status.draining ? "Undrain…" : "Drain…");
    this.button.dataset.active = status.draining;
  }
}

function orderOf({ spread_seconds: spread, delay_seconds: delay }) {
  return { spread_seconds: seconds(spread, "spread_seconds"), delay_seconds: seconds(delay, "delay_seconds") };
}
