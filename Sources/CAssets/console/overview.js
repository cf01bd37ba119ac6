// The first view: workers, who talks most, routes and certificates.
import { button, element, make } from "./dom.js";
import { bytes, count, dateAndClock, short, text, words } from "./format.js";
import { notesOf } from "./sections.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";
import { Workers } from "./workers.js";
import { address } from "./router.js";
import { isRefusal } from "./tiles.js";

export class OverviewView {
  constructor(context) {
    this.workers = new Workers(context);
    this.parts = [this.workers.poll, topTalkers(context), routes(context), certificates(context)];
  }

  show() {
    for (const part of this.parts) part.start();
  }

  hide() {
    for (const part of this.parts) part.stop();
  }

  refresh() {
    for (const part of this.parts) part.now();
  }
}

function topTalkers({ api, roles, actions }) {
  const about = ({ key, by }) => (by === "user" ? { user: key } : { address: key });
  const guarded = (label, act) => roles.guard(button(label, act, { class: "row" }), "operator");
  const columns = [
    {
      id: "key", title: "Who", isHeader: true, make: () => [make("a")],
      update: ({ key, by }, cell) => {
        cell.firstChild.textContent = cell.title = key;
        cell.firstChild.href = address("connections", by === "user" ? { user: key } : { ip: key });
      },
    },
    { id: "connections", title: "Open", isNumeric: true, text: ({ connections }) => count(connections) },
    {
      id: "rate", title: "In/s", isNumeric: true, text: ({ messages_in_per_second: rate }) => short(rate),
      hint: ({ throttled }) => (throttled > 0 ? `${count(throttled)} throttled` : null),
      tone: ({ throttled }) => (throttled > 0 ? "warning" : null),
    },
    { id: "messages-in", title: "Msgs in", isNumeric: true, text: (row) => count(row.messages_in) },
    { id: "messages-out", title: "Msgs out", isNumeric: true, text: (row) => count(row.messages_out) },
    { id: "bytes-in", title: "Bytes in", isNumeric: true, text: (row) => bytes(row.bytes_in) },
    { id: "bytes-out", title: "Bytes out", isNumeric: true, text: (row) => bytes(row.bytes_out) },
    { id: "actions", title: "Actions", make: (current) => [
      guarded("Throttle", () => actions.addRule({ action: "throttle", ...about(current()) })),
      guarded("Ban", () => actions.addRule({ action: "ban", ...about(current()) })),
    ] },
  ];
  const choice = element("top-by");
  const notes = notesOf(element("top"));
  const table = new Table(element("top-table"), columns, {
    key: ({ by, key }) => `${by} ${key}`, empty: "Nobody has sent anything.",
  });
  const poll = new Poll({
    every: 3000, ask: (signal) => api.get("/top", { query: { by: choice.value, limit: 10 }, signal }), fail: notes.fail,
    show: ({ by, top }) => {
      notes.clear();
      table.show(top.map((row) => ({ ...row, by })));
    },
  });
  choice.addEventListener("change", () => poll.now());
  return poll;
}

function routes({ api }) {
  const refused = ({ handshakes }) => Object.entries(handshakes ?? {}).filter(([result, times]) => isRefusal(result) && times > 0);
  const columns = [
    { id: "name", title: "Route", isHeader: true, make: () => [make("a")], update: ({ name }, cell) => {
      cell.firstChild.textContent = name;
      cell.firstChild.href = address("connections", { route: name });
    } },
    { id: "match", title: "Match", text: ({ host, path }) => `${host ?? "*"}${path}` },
    { id: "pool", title: "Pool", text: ({ pool }) => text(pool) },
    { id: "auth", title: "Auth", text: ({ auth }) => auth ?? "open" },
    { id: "connections", title: "Open", isNumeric: true, text: ({ connections }) => count(connections) },
    { id: "messages-in", title: "Msgs in", isNumeric: true, text: (row) => count(row.messages_in) },
    { id: "messages-out", title: "Msgs out", isNumeric: true, text: (row) => count(row.messages_out) },
    {
      id: "refused", title: "Refused", isNumeric: true,
      text: (row) => count(refused(row).reduce((sum, [, times]) => sum + times, 0)),
      hint: (row) => refused(row).map(([result, times]) => `${words(result)}: ${count(times)}`).join("\n"),
    },
  ];
  return simplePoll(api, "routes", columns, {
    path: "/routes", every: 3000, rows: ({ routes }) => routes, key: ({ name }) => name, empty: "There is no route.",
  });
}

function certificates({ api }) {
  const columns = [
    {
      id: "name", title: "Certificate", isHeader: true, text: ({ name, subject }) => name ?? subject,
      hint: ({ names }) => names?.join("\n"),
    },
    { id: "listener", title: "Listener", text: ({ listener }) => text(listener) },
    { id: "key", title: "Key", text: (row) => text(row.key_type) },
    { id: "until", title: "Valid until, UTC", isNumeric: true, text: (row) => dateAndClock(row.not_after) },
    {
      id: "days", title: "Days left", isNumeric: true, text: (row) => count(Math.floor(row.days_left)),
      tone: ({ days_left: days }) => (days < 3 ? "danger" : days < 14 ? "warning" : null),
    },
  ];
  return simplePoll(api, "certs", columns, {
    path: "/certs", every: 60_000, rows: ({ certificates }) => certificates,
    key: ({ listener, name, serial }) => `${listener} ${name} ${serial}`, empty: "No listener has TLS.",
  });
}

function simplePoll(api, id, columns, { path, every, rows, key, empty }) {
  const notes = notesOf(element(id));
  const table = new Table(element(`${id}-table`), columns, { key, empty });
  return new Poll({
    every, ask: (signal) => api.get(path, { signal }), fail: notes.fail,
    show: (answer) => {
      notes.clear();
      table.show(rows(answer));
    },
  });
}
