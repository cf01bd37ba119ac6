// The rules in force: bans, throttles and revocations; how to make one, and how to take it away.
import { button, element } from "./dom.js";
import { count, dateAndClock, duration, text } from "./format.js";
import { notesOf } from "./sections.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";

const pageSize = 100;

export class RulesView {
  #cursors = [undefined];
  #next = null;
  #now = "";

  constructor({ api, roles, actions, confirm }) {
    const notes = notesOf(element("rules"));
    const remove = (rule) => confirm.open({
      title: `Take rule ${rule.id} away?`, confirm: "Take it away",
      count: () => ({ text: `${actionText(rule)} ${subjectText(rule)}` }),
      act: async () => {
        await api.send("DELETE", `/rules/${rule.id}`);
        this.poll.now();
        return `Rule ${rule.id} is no longer in force.`;
      },
    });
    const columns = [
      { id: "id", title: "Rule", isHeader: true, text: ({ id }) => id },
      { id: "action", title: "Action", text: actionText, tone: ({ action }) => (action === "throttle" ? "warning" : "danger") },
      { id: "subject", title: "Whom", text: subjectText, hint: subjectText },
      { id: "reason", title: "Reason", text: ({ reason }) => text(reason), hint: ({ reason }) => reason },
      { id: "expires", title: "Ends in", isNumeric: true, text: (rule) => this.#left(rule), hint: ({ expires }) => expires },
      { id: "created", title: "Since, UTC", isNumeric: true, text: ({ created }) => dateAndClock(created) },
      { id: "by", title: "By", text: ({ by }) => text(by) },
      { id: "actions", title: "Actions", make: (current) => [
        roles.guard(button("Take away", () => remove(current()), { class: "row", "data-action": "remove" }), "operator"),
      ] },
    ];
    const table = new Table(element("rules-table"), columns, { key: ({ id }) => id, empty: "No rule is in force." });
    this.poll = new Poll({
      every: 3000, fail: notes.fail,
      ask: (signal) => api.get("/rules", { query: { limit: pageSize, cursor: this.#cursors.at(-1) }, signal }),
      show: ({ now, total, next_cursor: next, rules }) => {
        notes.clear();
        this.#now = now;
        this.#next = next;
        table.show(rules);
        element("rules-total").textContent = `${count(total)} in force`;
        element("rules-pages").hidden = this.#cursors.length === 1 && next === null;
        element("rules-previous").disabled = this.#cursors.length === 1;
        element("rules-next").disabled = next === null;
      },
    });
    roles.guard(element("add-rule"), "operator").addEventListener("click", () => actions.addRule());
    element("rules-previous").addEventListener("click", () => this.#turnTo(this.#cursors.slice(0, -1)));
    element("rules-next").addEventListener("click", () => this.#turnTo([...this.#cursors, this.#next]));
  }

  show() {
    this.poll.start();
  }

  hide() {
    this.poll.stop();
  }

  refresh() {
    this.poll.now();
  }

  #turnTo(cursors) {
    this.#cursors = cursors;
    this.poll.now();
  }

  #left({ expires }) {
    return expires ? duration((Date.parse(expires) - Date.parse(this.#now)) / 1000) : "never";
  }
}

function actionText({ action, messages, bytes }) {
  const limits = [messages && rateText(messages, "messages"), bytes && rateText(bytes, "bytes")].filter(Boolean);
  return limits.length > 0 ? `${action} to ${limits.join(", ")}` : action;
}

function rateText({ count: units, per_ms: period }, noun) {
  return period === 1000 ? `${count(units)} ${noun}/s` : `${count(units)} ${noun} in ${period / 1000} s`;
}

function subjectText({ user, cidr, jti, auth, issued_before: before }) {
  const parts = [
    user && `user ${user}`, cidr && `address ${cidr}`, jti && `token ${jti}`, before && `tokens issued before ${before}`,
    auth && `of ${auth}`,
  ];
  return parts.filter(Boolean).join(" ");
}
