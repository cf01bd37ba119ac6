// Reads server-sent events (WHATWG HTML §9.2) from the pieces of a stream. EventSource cannot send an Authorization field.

const maxEventCharacters = 65_536; // a longer event is dropped

export class EventParser {
  #rest = "";
  #type = "";
  #data = [];
  #characters = 0;
  #lastID = "";

  /**
   * Takes the next piece.
   *
   * @param {string} piece
   * @returns {{type: string, data: string, id: string}[]} the events that it completes
   */
  push(piece) {
    const text = this.#rest + piece;
    const events = [];
    let start = 0;
    for (let end; (end = lineEnd(text, start)) !== null; start = end.next) {
      const event = this.#line(text.slice(start, end.at));
      if (event) events.push(event);
    }
    this.#rest = text.slice(start);
    if (this.#rest.length > maxEventCharacters) this.#skipLine();
    return events;
  }

  #line(line) {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#type = value;
    else if (name === "id" && !value.includes("\0")) this.#lastID = value;
    else if (name === "data") {
      this.#characters += value.length;
      if (this.#characters <= maxEventCharacters) this.#data.push(value);
    }
    return null;
  }

  #dispatch() {
    const isWhole = this.#data.length > 0 && this.#characters <= maxEventCharacters;
    const event = isWhole ? { type: this.#type || "message", data: this.#data.join("\n"), id: this.#lastID } : null;
    this.#type = "";
    this.#data = [];
    this.#characters = 0;
    return event;
  }

  /** Forgets a line that does not end, and with it the event. */
  #skipLine() {
    this.#rest = ":";
    this.#characters = maxEventCharacters + 1;
  }
}

/** Where the line that begins at `start` ends: at CR LF, LF or CR; null while it may go on. */
function lineEnd(text, start) {
  for (let at = start; at < text.length; at += 1) {
    const character = text[at];
    if (character === "\n") return { at, next: at + 1 };
    if (character !== "\r") continue;
    if (at + 1 === text.length) return null;
    return { at, next: text[at + 1] === "\n" ? at + 2 : at + 1 };
  }
  return null;
}

/**
 * The events of a stream of bytes, until it ends.
 *
 * @param {ReadableStream<Uint8Array>} stream
 */
export async function* events(stream) {
  const parser = new EventParser();
  const decoder = new TextDecoder();
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
