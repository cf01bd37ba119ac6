// The table of connections, open ones or closed: sorted, filtered and paged by the edge, which may have very many.
import { button, element, make, onSubmit, setText } from "./dom.js";
import { closedColumns, openColumns, selectAllBox } from "./connection_columns.js";
import { count, counted } from "./format.js";
import { notesOf } from "./sections.js";
import { Poll } from "./poll.js";
import { Table } from "./table.js";
import { address } from "./router.js";

const filters = ["user", "ip", "route", "worker", "origin", "throttled", "idle_gt", "age_gt"];
const defaults = { state: "open", sort: "opened", order: "desc", limit: "100" };

export class ConnectionsView {
  /** The query of the address. @type {Record<string, string>} */
  #query = {};
  /** Where the pages before this one began; this one's start is the last. @type {(string|undefined)[]} */
  #cursors = [undefined];
  #next = null;
  #selected = new Map();

  /** @param {{api: import("./api.js").API, roles: import("./roles.js").Roles, actions: import("./actions.js").Actions}} context */
  constructor({ api, roles, actions }) {
    Object.assign(this, { api, roles, actions });
    this.section = element("connections");
    this.notes = notesOf(this.section);
    const options = { key: ({ id }) => id, onSort: (sort, order) => this.#go({ sort, order }) };
    const columns = openColumns(selectAllBox(), (current) => this.#checkbox(current), (current) => this.#buttons(current));
    this.open = new Table(element("open-connections"), columns, { ...options, empty: "No open connection matches." });
    this.closed = new Table(element("closed-connections"), closedColumns, { ...options, empty: "No closed connection matches." });
    this.poll = new Poll({
      every: 2000,
      ask: (signal) => api.get("/connections", { query: { ...defaults, ...this.#query, cursor: this.#cursors.at(-1) }, signal }),
      show: (page) => this.#show(page),
      fail: (error) => this.#fail(error),
    });
    this.#listen();
  }

  show(query) {
    const known = ["state", "sort", "order", "limit", ...filters];
    this.#query = Object.fromEntries(known.filter((name) => query[name]).map((name) => [name, query[name]]));
    const form = element("filter").elements;
    for (const name of [...filters, "limit"]) form[name].value = this.#query[name] ?? (name === "limit" ? defaults.limit : "");
    for (const link of this.section.querySelectorAll("[data-state-link]")) {
      const isShown = link.dataset.stateLink === this.#state;
      link.toggleAttribute("aria-current", isShown);
      if (isShown) link.setAttribute("aria-current", "true");
      link.hash = address("connections", { ...this.#query, state: link.dataset.stateLink, sort: undefined, order: undefined });
    }
    const isOpen = this.#state === "open";
    element("open-frame").hidden = !isOpen;
    element("closed-frame").hidden = isOpen;
    for (const table of [this.open, this.closed]) {
      table.markSort(this.#query.sort ?? defaults.sort, this.#query.order ?? defaults.order);
    }
    setText(element("kick-matching"), this.#hasFilter ? "Close all that match…" : "Close all…");
    this.roles.guard(element("kick-matching"), this.#hasFilter ? "operator" : "admin");
    element("kick-matching").hidden = !isOpen;
    this.#select([]);
    this.#turnTo([undefined]);
    this.poll.start();
  }

  hide() {
    this.poll.stop();
  }

  /** Looks again now, after something was done: what that changed is shown wherever the pointer is. */
  refresh() {
    this.isTurning = true;
    this.poll.now();
  }

  get #state() {
    return this.#query.state === "closed" ? "closed" : "open";
  }

  get #hasFilter() {
    return filters.some((name) => this.#query[name]);
  }

  #listen() {
    onSubmit(element("filter"), (values) => this.#go(values));
    element("filter").elements.limit.addEventListener("change", ({ target }) => this.#go({ limit: target.value }));
    element("clear-filter").addEventListener("click", () => this.#go(Object.fromEntries(filters.map((name) => [name, ""]))));
    element("first-page").addEventListener("click", () => this.#turnTo([undefined]));
    element("previous-page").addEventListener("click", () => this.#turnTo(this.#cursors.slice(0, -1)));
    element("next-page").addEventListener("click", () => this.#turnTo([...this.#cursors, this.#next]));
    element("kick-matching").addEventListener("click", () => this.actions.kickAll(this.#selector(), "all connections that match"));
    const guard = (id, act) => this.roles.guard(element(id), "operator").addEventListener("click", act);
    guard("kick-selected", () => {
      this.actions.kickAll({ ids: [...this.#selected.keys()] }, counted(this.#selected.size, "selected connection"));
    });
    guard("throttle-selected", () => this.actions.throttle([...this.#selected.values()]));
    guard("ban-selected", () => this.actions.banAll([...this.#selected.values()]));
    element("clear-selection").addEventListener("click", () => this.#select([]));
    element("select-page").addEventListener("change", ({ target }) => this.#select(target.checked ? this.open.rows : []));
  }

  /** Changes something of the query, and with it the address. */
  #go(change) {
    const query = { ...this.#query, ...change };
    if (query.limit === defaults.limit) delete query.limit;
    const hash = address("connections", query);
    if (hash === location.hash) this.#turnTo([undefined]);
    else location.hash = hash;
  }

  #turnTo(cursors) {
    this.#cursors = cursors;
    this.isTurning = true;
    this.poll.now();
  }

  #selector() {
    const given = filters.filter((name) => this.#query[name]).map((name) => [name, this.#query[name]]);
    return Object.fromEntries(given.map(([name, value]) => [name, name === "throttled" ? value === "true" : value]));
  }

  #show({ now, total, matched, next_cursor: next, connections }) {
    this.notes.clear();
    this.#next = next;
    const isOpen = this.#state === "open";
    const table = isOpen ? this.open : this.closed;
    const isHeld = !this.isTurning && (table.table.tBodies[0].matches(":hover, :focus-within"));
    this.isTurning = false;
    const waiting = table.show(connections, isHeld);
    const before = (this.#cursors.length - 1) * Number(this.#query.limit ?? defaults.limit);
    const range = connections.length > 0 ? `${count(before + 1)}–${count(before + connections.length)} of ` : "";
    const noun = this.#hasFilter ? "that match" : isOpen ? "open" : "closed";
    setText(element("page-range"), `${range}${count(matched)} ${noun}`);
    setText(element("held"), isHeld && waiting > 0 ? `Rows keep their place while you are on them; ${count(waiting)} wait` : "");
    for (const id of ["first-page", "previous-page"]) element(id).disabled = this.#cursors.length === 1;
    element("next-page").disabled = next === null;
    this.#drawSelection();
  }

  #fail(error) {
    if (error.status === 400 && this.#cursors.length > 1 && /cursor/.test(error.message)) this.#turnTo([undefined]);
    this.notes.fail(error);
  }

  #select(connections) {
    this.#selected = new Map(connections.map((connection) => [connection.id, connection]));
    for (const box of this.open.table.tBodies[0].querySelectorAll("input")) box.checked = this.#selected.has(box.value);
    this.#drawSelection();
  }

  #drawSelection() {
    const rows = this.open.rows;
    element("selection").hidden = this.#selected.size === 0;
    setText(element("selection-count"), `${count(this.#selected.size)} selected`);
    const shown = rows.filter(({ id }) => this.#selected.has(id)).length;
    element("select-page").checked = shown > 0 && shown === rows.length;
    element("select-page").indeterminate = shown > 0 && shown < rows.length;
  }

  #checkbox(current) {
    const box = make("input", { type: "checkbox", value: current().id });
    box.checked = this.#selected.has(current().id);
    box.addEventListener("change", () => {
      if (box.checked) this.#selected.set(box.value, current());
      else this.#selected.delete(box.value);
      this.#drawSelection();
    });
    return box;
  }

  #buttons(current) {
    const guarded = (name, label, act) => this.roles.guard(button(label, act, { class: "row", "data-action": name }), "operator");
    return [
      guarded("kick", "Kick", () => this.actions.kick(current())),
      guarded("throttle", "Throttle", () => this.#throttle(current())),
      guarded("ban", "Ban", () => this.#ban(current())),
    ];
  }

  #ban({ user, client_address: address }) {
    this.actions.addRule({ action: "ban", user: user ?? "", address: address ?? "" });
  }

  #throttle(connection) {
    if (connection.throttle) this.actions.unthrottle(connection);
    else this.actions.throttle([connection]);
  }
}
