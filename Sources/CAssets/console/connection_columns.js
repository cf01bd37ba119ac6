// What the tables of connections show.
import { button, make, setText } from "./dom.js";
import { bytes, clock, count, dateAndClock, duration, text } from "./format.js";
import { nameOf, throttleText } from "./actions.js";
import { showDetails } from "./details.js";

/** @typedef {import("./table.js").Column} Column */

/** How a worker is called where there is little room: its socket's file name. */
export function workerName(path) {
  return path.replace(/^.*\//, "").replace(/\.sock$/, "");
}

/** The connection's name, which opens all that is known of it. @type {Column} */
const identity = {
  id: "id", title: "Connection", isHeader: true,
  make: (current) => [button(shortID(current().id), () => showDetails(current()), { class: "link", title: current().id })],
};

/** @type {Column[]} */
const whose = [
  { id: "user", title: "User", sort: "user", text: ({ user }) => text(user), hint: ({ user }) => user },
  { id: "address", title: "Address", text: ({ client_address: address }) => text(address) },
  { id: "route", title: "Route", text: ({ route }) => text(route), hint: ({ route }) => route },
  { id: "worker", title: "Worker", text: ({ worker }) => workerName(worker), hint: ({ worker }) => worker },
];

/** @type {Column[]} */
const messages = [
  { id: "messages-in", title: "Msgs in", sort: "messages", isNumeric: true, text: (row) => count(row.messages_in) },
  { id: "messages-out", title: "Msgs out", isNumeric: true, text: (row) => count(row.messages_out) },
];

/**
 * The columns of open connections.
 *
 * @param {Node} selectAll  heads the boxes
 * @param {(current: () => any) => HTMLInputElement} box  makes the box that selects a row
 * @param {(current: () => any) => HTMLButtonElement[]} buttons  makes what can be done to it
 * @returns {Column[]}
 */
export function openColumns(selectAll, box, buttons) {
  return [
    { id: "select", title: selectAll, make: (current) => [box(current)], update: labelBox },
    identity,
    ...whose,
    {
      id: "origin", title: "Origin", text: ({ origin }) => text(origin?.replace(/^https:\/\//, "")),
      hint: ({ origin }) => origin,
    },
    {
      id: "age", title: "Age", sort: "opened", isNumeric: true, text: ({ age_seconds: age }) => duration(age),
      hint: ({ opened_at: opened }) => `since ${dateAndClock(opened)} UTC`,
    },
    { id: "idle", title: "Idle", sort: "active", isNumeric: true, text: ({ idle_seconds: idle }) => duration(idle) },
    ...messages,
    { id: "bytes-in", title: "Bytes in", sort: "bytes", isNumeric: true, text: (row) => bytes(row.bytes_in) },
    { id: "bytes-out", title: "Bytes out", isNumeric: true, text: (row) => bytes(row.bytes_out) },
    {
      id: "queued", title: "Queued", sort: "queued", isNumeric: true, text: ({ queued_bytes: queued }) => bytes(queued),
      tone: ({ queued_bytes: queued }) => (queued > 0 ? "warning" : null),
    },
    { id: "actions", title: "Actions", make: buttons, update: drawButtons },
  ];
}

/** @type {Column[]} */
export const closedColumns = [
  identity,
  {
    id: "closed-at", title: "Closed", isNumeric: true, text: (row) => clock(row.closed_at),
    hint: (row) => `${dateAndClock(row.closed_at)} UTC`,
  },
  {
    id: "code", title: "Code", isNumeric: true, text: ({ close_code: code }) => text(code),
    tone: ({ close_code: code }) => (code > 1001 ? "warning" : null),
  },
  { id: "reason", title: "Reason", text: ({ close_reason: reason }) => text(reason), hint: ({ close_reason: reason }) => reason },
  { id: "initiator", title: "By", text: ({ close_initiator: initiator }) => text(initiator) },
  ...whose,
  { id: "age", title: "Lasted", isNumeric: true, text: ({ age_seconds: age }) => duration(age) },
  {
    id: "opened", title: "Opened", sort: "opened", isNumeric: true, text: (row) => clock(row.opened_at),
    hint: (row) => `${dateAndClock(row.opened_at)} UTC`,
  },
  ...messages,
];

function labelBox(row, cell) {
  cell.firstChild.setAttribute("aria-label", `Select the connection of ${nameOf(row)}`);
}

function drawButtons(row, cell) {
  const throttle = cell.querySelector("[data-action=throttle]");
  setText(throttle, row.throttle ? "Unthrottle" : "Throttle");
  throttle.toggleAttribute("data-active", Boolean(row.throttle ?? row.throttled));
  if (!throttle.hasAttribute("aria-disabled")) throttle.title = throttleText(row);
}

/** Reactor and serial number without the zeros between: `1·2a`. */
function shortID(id) {
  return `${id.slice(0, 4).replace(/^0+(?=.)/, "")}·${id.slice(4).replace(/^0+(?=.)/, "")}`;
}

/** The box over the boxes. */
export function selectAllBox() {
  return make("input", { type: "checkbox", id: "select-page", "aria-label": "Select all on this page" });
}
