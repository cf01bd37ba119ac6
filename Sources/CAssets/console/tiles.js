// The edge at a glance: numbers that say whether somebody has to look closer.
import { element, make, setAttribute, setText } from "./dom.js";
import { bytes, count, duration, short, words } from "./format.js";
import { Sparkline } from "./sparkline.js";

/**
 * @typedef {object} Tile
 * @property {string} id
 * @property {string} title
 * @property {(status: any, history: import("./history.js").History) => Face} read
 */
/** @typedef {{value: string, detail?: string, tone?: "good"|"warning"|"danger"|null, values?: number[]}} Face */

/** @type {Tile[]} */
const tiles = [
  { id: "connections", title: "Connections", read: connections },
  { id: "messages-in", title: "Messages in", read: (status, history) => messages(status, history, "in") },
  { id: "messages-out", title: "Messages out", read: (status, history) => messages(status, history, "out") },
  { id: "refused", title: "Refused", read: refusals },
  { id: "throttled", title: "Throttled", read: throttled },
  { id: "state", title: "State", read: state },
  { id: "certificates", title: "Certificates", read: certificates },
  { id: "configuration", title: "Configuration", read: configuration },
];

export class Tiles {
  #faces = new Map();

  constructor() {
    for (const { id, title } of tiles) {
      const value = make("strong", { class: "value" }, "–");
      const detail = make("span", { class: "detail" });
      const line = new Sparkline();
      const item = make("li", { "data-tile": id }, make("span", { class: "label" }, title), value, detail, line.svg);
      element("tiles").append(item);
      this.#faces.set(id, { item, value, detail, line });
    }
  }

  /** @param {import("./history.js").History} history */
  draw(history) {
    for (const { id, read } of tiles) {
      const face = read(history.latest, history);
      const { item, value, detail, line } = this.#faces.get(id);
      setText(value, face.value);
      setText(detail, face.detail ?? "");
      setAttribute(detail, "title", face.detail ?? null);
      setAttribute(item, "data-tone", face.tone ?? null);
      line.draw(face.values ?? []);
    }
  }
}

/** Whether a result of a handshake is that the edge, or what is behind it, said no. */
export function isRefusal(result) {
  return result !== "accepted" && result !== "abandoned";
}

function connections(status, history) {
  const share = status.max_connections > 0 ? status.connections / status.max_connections : 0;
  const waiting = status.clients_waiting > 0 ? ` · ${count(status.clients_waiting)} wait` : "";
  return {
    value: count(status.connections),
    detail: `of ${count(status.max_connections)} · ${percent(share)}${waiting}`,
    tone: share >= 0.95 ? "danger" : share >= 0.8 ? "warning" : null,
    values: history.values((status) => status.connections),
  };
}

function messages(status, history, direction) {
  const rates = history.rates((status) => status[`messages_${direction}`]);
  const volume = history.rates((status) => status[`bytes_${direction}`]).at(-1);
  return { value: rate(rates.at(-1)), detail: volume === undefined ? "" : `${bytes(Math.round(volume))}/s`, values: rates };
}

function refusals(status, history) {
  const reasons = Object.keys(status.handshakes ?? {}).filter(isRefusal);
  const total = (status) => reasons.reduce((sum, reason) => sum + (status.handshakes?.[reason] ?? 0), 0);
  const rates = history.rates(total);
  const grown = reasons
    .map((reason) => ({ reason, growth: history.growth((status) => status.handshakes?.[reason] ?? 0) }))
    .filter(({ growth }) => growth > 0)
    .sort((a, b) => b.growth - a.growth);
  const within = `in ${duration(history.seconds)}`;
  const detail = grown.length > 0
    ? `${grown.slice(0, 3).map(({ reason, growth }) => `${words(reason)} ${count(growth)}`).join(" · ")} ${within}`
    : `${count(total(status))} since the start`;
  const value = status.handshakes ? rate(rates.at(-1)) : "–";
  return { value, detail: status.handshakes ? detail : "", tone: grown.length > 0 ? "warning" : null, values: rates };
}

function throttled(status, history) {
  return {
    value: count(status.throttled_connections),
    detail: status.send_queue_bytes === undefined ? "" : `${bytes(status.send_queue_bytes)} queued for slow peers`,
    tone: status.throttled_connections > 0 ? "warning" : null,
    values: history.values((status) => status.throttled_connections),
  };
}

function state(status) {
  if (!status.draining) {
    return status.ready === false ? { value: "Not ready", tone: "danger" } : { value: "Serving", detail: "ready", tone: "good" };
  }
  const left = status.drain?.ends_at ? (Date.parse(status.drain.ends_at) - Date.parse(status.now)) / 1000 : undefined;
  const end = left === undefined ? "" : left > 0 ? `all closed in ${duration(left)}` : "nobody is let in";
  return { value: "Draining", detail: end, tone: "warning" };
}

function certificates(status) {
  const next = status.next_certificate_expiry;
  if (!next) return { value: "–", detail: next === null ? "none in use" : "" };
  const days = Math.floor(next.days_left);
  return {
    value: days < 0 ? "Expired" : `${count(days)} d`,
    detail: `left for ${next.name}`,
    tone: days < 3 ? "danger" : days < 14 ? "warning" : "good",
  };
}

function configuration(status) {
  const config = status.config;
  if (!config) return { value: "–" };
  const hasFailed = config.last_reload?.result === "failed";
  return {
    value: duration(config.age_seconds),
    detail: hasFailed ? "last reload failed: see Configuration" : "since it was loaded",
    tone: hasFailed ? "danger" : null,
  };
}

const rate = (value) => (value === undefined ? "–" : `${short(value)}/s`);
const percent = (share) => (share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(share * 100)} %`);
