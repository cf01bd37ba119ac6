// How values look. Numbers are grouped, units are binary for bytes, times are UTC like those of the logs. What is not known is
// a dash.

const unknown = "–";
const grouped = new Intl.NumberFormat("en-US");
const oneDigit = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** A whole number: `12,345`. */
export function count(value) {
  return typeof value === "number" ? grouped.format(value) : unknown;
}

/** A count with its noun: `1 connection`, `3,000 connections`. */
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? "" : "s"}`;
}

/** A number that changes all the time, in at most five characters: `0`, `7.5`, `840`, `12.4k`, `3.1M`. */
export function short(value) {
  if (typeof value !== "number") return unknown;
  if (value < 10) return oneDigit.format(value);
  if (value < 1000) return grouped.format(Math.round(value));
  const [divisor, unit] = value < 999_950 ? [1e3, "k"] : value < 999_950_000 ? [1e6, "M"] : [1e9, "G"];
  return `${(value / divisor).toFixed(value / divisor < 100 ? 1 : 0)}${unit}`;
}

/** Bytes: `512 B`, `1.5 KiB`, `2.0 GiB`. */
export function bytes(value) {
  if (typeof value !== "number") return unknown;
  if (value < 1000) return `${value} B`;
  const power = [1, 2, 3, 4].find((power) => value / 1024 ** power < 999.95) ?? 5;
  return `${(value / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB", "PiB"][power]}`;
}

/** A length of time in its two greatest units: `14 s`, `12 m 03 s`, `4 h 12 m`, `3 d 04 h`. */
export function duration(seconds) {
  if (typeof seconds !== "number") return unknown;
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} m ${two(whole % 60)} s`;
  if (whole < 86_400) return `${Math.floor(whole / 3600)} h ${two(Math.floor(whole / 60) % 60)} m`;
  return `${Math.floor(whole / 86_400)} d ${two(Math.floor(whole / 3600) % 24)} h`;
}

/** The time of day of an RFC 3339 time, UTC: `12:33:05`. */
export function clock(time) {
  const date = new Date(time);
  return isNaN(date.getTime()) ? unknown : date.toISOString().slice(11, 19);
}

/** Date and time of day, UTC: `2026-01-31 12:33:05`. */
export function dateAndClock(time) {
  const date = new Date(time);
  return isNaN(date.getTime()) ? unknown : date.toISOString().slice(0, 19).replace("T", " ");
}

/** Text of a peer's, or a dash where it said nothing. */
export function text(value) {
  return value === null || value === undefined || value === "" ? unknown : String(value);
}

/** A word of the API as people write it: `origin_denied` is `origin denied`. */
export function words(name) {
  return String(name).replaceAll("_", " ");
}

/** Seconds of `90`, `90s`, `10m`, `1h` or `2d`; null for nothing, NaN for anything else. */
export function parseDuration(written) {
  if (written.trim() === "") return null;
  const match = /^(\d{1,9})\s*([smhd]?)$/.exec(written.trim());
  return match ? Number(match[1]) * { "": 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2]] : NaN;
}
