// What the page knows of its rooms: messages in order, who is here, who types. No network and no document.
//
// A room's log grows in the order in which the worker numbers it. An own message stands behind the log until it has its
// number. Everything is bounded.

const maxShown = 500; // messages of a room
const maxUnsent = 50; // own messages of a room without a number
const typingExpiry = 8000; // ms, when the word that somebody stopped is lost

export class Rooms {
  me = "";
  maxTextBytes = 4096;
  #rooms = new Map();

  all() {
    return [...this.#rooms.values()];
  }

  get(name) {
    return this.#rooms.get(name);
  }

  add(name) {
    this.#rooms.set(name, new Room(name));
  }

  forget(name) {
    this.#rooms.delete(name);
  }

  markRead(name) {
    const room = this.get(name);
    if (room) room.unread = 0;
  }

  /** The data of the `join` that brings a room up to date. */
  resumption(name) {
    const { epoch, sequence } = this.get(name);
    return epoch === null ? { room: name } : { room: name, epoch, since: sequence };
  }

  joined(data) {
    const room = this.get(data.room);
    if (!room) return;
    room.isJoined = true;
    room.users = new Set(data.users);
    room.userCount = data.userCount;
    room.typists.clear();
    if (data.gap) room.markGap(`gap ${data.epoch} ${data.gap.before}`);
    for (const message of data.messages) room.append({ ...message, epoch: data.epoch });
    room.epoch = data.epoch;
    room.sequence = data.sequence;
  }

  message(data, { isShown }) {
    const room = this.get(data.room);
    if (!room) return;
    room.append(data);
    room.epoch = data.epoch;
    room.sequence = data.sequence;
    if (!isShown && data.senderId !== this.me) room.unread += 1;
  }

  /** The worker has the message, perhaps since an earlier attempt whose answer was lost. */
  acknowledged({ room: name, id, sequence, timestamp }) {
    const room = this.get(name);
    const own = room?.unsent.get(id);
    if (own) room.append({ ...own, sequence, timestamp, epoch: room.epoch });
  }

  /** Notes that a message was not taken; false if it is none of ours. */
  failed({ room: name, id, message }) {
    const own = this.get(name)?.unsent.get(id);
    if (own) Object.assign(own, { delivery: "failed", reason: message });
    return Boolean(own);
  }

  presence({ room: name, senderId, online }) {
    const room = this.get(name);
    if (!room || room.users.has(senderId) === online) return;
    online ? room.users.add(senderId) : room.users.delete(senderId);
    room.userCount += online ? 1 : -1;
    if (!online) room.typists.delete(senderId);
  }

  typing({ room: name, senderId, active }) {
    const room = this.get(name);
    active ? room?.typists.set(senderId, Date.now() + typingExpiry) : room?.typists.delete(senderId);
  }

  /** Forgets typists who were silent for too long; true if there were any. */
  expire(now) {
    let isChanged = false;
    for (const room of this.all()) {
      for (const [user, deadline] of room.typists) if (deadline <= now) isChanged = room.typists.delete(user);
    }
    return isChanged;
  }

  /** Takes a new message of the user: the data to send, or a sentence why not. */
  compose(name, text) {
    const room = this.get(name);
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > this.maxTextBytes) return `This message is too long: ${bytes} of at most ${this.maxTextBytes} bytes.`;
    if (room.unsent.size >= maxUnsent) return "Too many messages wait to be sent.";
    const id = crypto.randomUUID();
    const message = { id, senderId: this.me, text, timestamp: Date.now(), sequence: null, delivery: "sending", sentAt: Date.now() };
    room.unsent.set(id, { ...message, key: `${this.me}\n${id}` });
    return { room: name, id, text };
  }

  /** The data to send a failed message once more, under the same identifier. */
  again(name, id) {
    const own = this.get(name)?.unsent.get(id);
    if (!own) return null;
    Object.assign(own, { delivery: "sending", sentAt: Date.now() });
    return { room: name, id, text: own.text };
  }

  /** The data to send everything again that was not acknowledged, after a reconnect. */
  unsent(name) {
    const own = [...(this.get(name)?.unsent.values() ?? [])].filter(({ delivery }) => delivery === "sending");
    return own.map(({ id }) => this.again(name, id));
  }

  /** For how many ms the oldest message has waited for its acknowledgement. */
  oldestUnanswered(now) {
    const waiting = this.all().flatMap((room) => [...room.unsent.values()].filter(({ delivery }) => delivery === "sending"));
    return Math.max(0, ...waiting.map(({ sentAt }) => now - sentAt));
  }
}

class Room {
  isJoined = false;
  epoch = null;
  sequence = 0;
  /** Numbered messages and gaps, in order. */
  log = [];
  /** Own messages without a number, by identifier, in order. */
  unsent = new Map();
  users = new Set();
  userCount = 0;
  /** Who types, and until when. */
  typists = new Map();
  unread = 0;
  #keys = new Set();

  constructor(name) {
    this.name = name;
  }

  /** Notes that messages are missing after those that are here; nothing is missing where nothing is. */
  markGap(key) {
    if (this.log.length > 0 && this.log.at(-1).key !== key) this.log.push({ gap: true, key });
  }

  /** Adds a numbered message where its number belongs, unless it is here already. */
  append(message) {
    const key = `${message.senderId}\n${message.id}`;
    this.unsent.delete(message.id);
    this.typists.delete(message.senderId);
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    let index = this.log.length;
    while (index > 0 && this.log[index - 1].epoch === message.epoch && this.log[index - 1].sequence > message.sequence) index -= 1;
    this.log.splice(index, 0, { ...message, key, delivery: "sent" });
    while (this.log.length > maxShown) this.#keys.delete(this.log.shift().key);
  }
}
