// The document: draws what the rooms know, and tells what the user does. Text from others only ever becomes text nodes.

const groupFor = 5 * 60_000; // ms; messages of one sender within it stand under one name
const noticeFor = 3000; // ms that a passing notice stays
const stickWithin = 80; // px from the end that count as the end
const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "short", hour: "2-digit", minute: "2-digit" });
const element = (id) => document.getElementById(id);

export class View {
  onLogin = (name) => {};
  onRoom = (name) => {};
  onSend = (text) => true;
  onResend = (id) => {};
  onTyping = (isTyping) => {};
  onRetry = () => {};
  #items = new Map();
  #shown = null;
  #slowTimer = 0;
  #sessionTimer = 0;
  #state = { state: "connecting", retryAt: null };

  constructor() {
    listen("login-form", "submit", () => this.onLogin(element("name").value.trim()));
    listen("room-form", "submit", () => {
      const name = element("room").value.trim();
      element("room-form").reset();
      if (name) this.onRoom(name);
      element("text").focus();
    });
    listen("composer", "submit", () => this.#send());
    listen("retry", "click", () => this.onRetry());
    listen("jump", "click", () => this.#scrollToEnd());
    element("messages").addEventListener("scroll", () => this.#isAtEnd() && (element("jump").hidden = true));
    element("text").addEventListener("input", ({ target }) => {
      this.showNotice("");
      this.onTyping(target.value.trim() !== "");
    });
    element("text").addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    setInterval(() => this.#drawState(), 250);
  }

  showLogin(problem = "") {
    element("welcome").hidden = false;
    element("chat").hidden = true;
    element("login-error").textContent = problem;
    element("name").value = sessionStorage.getItem("name") ?? "";
    sessionStorage.removeItem("name");
    element("name").focus();
  }

  showChat() {
    element("welcome").hidden = true;
    element("chat").hidden = false;
    element("text").focus();
  }

  showNotice(text) {
    element("notice").textContent = text;
  }

  /** Says for a moment that the edge holds messages back: none is lost, each waits for its turn. */
  showThrottle({ limit, window_ms: window, retry_after_ms: wait }) {
    const rate = window === 1000 ? `${limit} a second` : `${limit} in ${Math.round(window / 1000)} s`;
    element("slow").textContent = `You are writing fast. The edge lets ${rate} through; the others wait their turn.`;
    clearTimeout(this.#slowTimer);
    this.#slowTimer = setTimeout(() => (element("slow").textContent = ""), wait + noticeFor);
  }

  /** Says for a moment what becomes of the login. */
  showSession(what, left) {
    const texts = { expiring: `Login ends in ${Math.ceil(left / 1000)} s…`, renewed: "Login renewed" };
    const session = element("session");
    session.dataset.session = what;
    session.textContent = texts[what];
    clearTimeout(this.#sessionTimer);
    this.#sessionTimer = setTimeout(() => {
      session.dataset.session = session.textContent = "";
    }, noticeFor);
  }

  /** Shows in which state the connection is; while it waits, counts down. */
  showState(state) {
    this.#state = state;
    this.#drawState();
  }

  render(rooms, shown) {
    const room = rooms.get(shown);
    if (!room) return;
    const total = rooms.all().reduce((sum, { unread }) => sum + unread, 0);
    document.title = `${total ? `(${total}) ` : ""}${shown} · Sluice chat`;
    element("title").textContent = shown;
    this.#drawRooms(rooms.all(), shown);
    this.#drawPresence(room, rooms.me);
    element("typing").textContent = typingLine([...room.typists.keys()]);
    this.#drawMessages(room, rooms.me);
  }

  #send() {
    const text = element("text").value.trim();
    if (!text || !this.onSend(text)) return;
    element("composer").reset();
    element("text").focus();
    this.#scrollToEnd();
  }

  #drawState() {
    const { state, retryAt } = this.#state;
    const isWaiting = state === "reconnecting";
    const texts = { connecting: "Connecting…", online: "Online", reconnecting: "Reconnecting", offline: "Offline" };
    element("state").dataset.state = state;
    // Only what changes is written, and the seconds are not read aloud.
    if (element("state-text").textContent !== texts[state]) element("state-text").textContent = texts[state];
    element("state-wait").textContent = isWaiting ? `in ${Math.max(1, Math.ceil((retryAt - Date.now()) / 1000))} s` : "";
    element("retry").hidden = !isWaiting;
  }

  #drawRooms(rooms, shown) {
    const buttons = rooms.map(({ name, unread }) => {
      const button = make("button", { type: "button" }, name);
      button.dataset.room = name;
      button.setAttribute("aria-current", name === shown);
      if (unread) button.append(make("span", { className: "unread", ariaLabel: `${unread} unread` }, String(unread)));
      button.addEventListener("click", () => this.onRoom(name));
      return make("li", {}, button);
    });
    element("rooms").replaceChildren(...buttons);
  }

  #drawPresence({ users, userCount }, me) {
    const items = [...users].sort((a, b) => a.localeCompare(b)).map((user) => {
      const item = make("li", {}, make("span", {}, make("bdi", {}, user), user === me ? " (you)" : ""));
      item.dataset.user = user;
      return item;
    });
    if (userCount > users.size) items.push(make("li", {}, `and ${userCount - users.size} more`));
    element("presence").replaceChildren(...items);
    element("presence-title").textContent = `Here now (${userCount})`;
  }

  /** Keeps the items that are there, so that a screen reader hears only what is new. */
  #drawMessages(room, me) {
    const list = element("messages");
    const wasAtEnd = this.#isAtEnd() || this.#shown !== room.name;
    if (this.#shown !== room.name) {
      this.#items.clear();
      list.replaceChildren();
    }
    list.setAttribute("aria-live", this.#shown === room.name ? "polite" : "off");
    this.#shown = room.name;
    const messages = [...room.log, ...room.unsent.values()];
    const kept = new Set(messages.map(({ key }) => key));
    for (const [key, item] of this.#items) if (!kept.has(key)) this.#remove(key, item);
    let place = list.firstChild;
    let hasNews = false;
    messages.forEach((message, index) => {
      let item = this.#items.get(message.key);
      if (!item) {
        item = message.gap ? gapItem() : messageItem(message, me);
        this.#items.set(message.key, item);
        hasNews = true;
      }
      if (!message.gap) this.#update(item, message, messages[index - 1]);
      if (item !== place) list.insertBefore(item, place);
      else place = place.nextSibling;
    });
    if (messages.length === 0 && room.isJoined) list.replaceChildren(emptyItem());
    else list.querySelector("[data-empty]")?.remove();
    if (wasAtEnd) this.#scrollToEnd();
    else if (hasNews) element("jump").hidden = false;
  }

  #remove(key, item) {
    item.remove();
    this.#items.delete(key);
  }

  #update(item, message, previous) {
    item.dataset.seq = message.sequence ?? "";
    const follows = previous?.senderId === message.senderId && message.timestamp - previous.timestamp < groupFor;
    item.toggleAttribute("data-follows", follows);
    if (!item.hasAttribute("data-own") || item.dataset.delivery === message.delivery) return;
    item.dataset.delivery = message.delivery;
    const marks = { sending: ["Sending…"], sent: ["✓ Sent"], failed: [`Not sent: ${message.reason} `] };
    item.querySelector(".mark").replaceChildren(...marks[message.delivery]);
    if (message.delivery !== "failed") return;
    const retry = make("button", { type: "button" }, "Send again");
    retry.addEventListener("click", () => this.onResend(message.id));
    item.querySelector(".mark").append(retry);
  }

  #isAtEnd() {
    const list = element("messages");
    return list.scrollHeight - list.scrollTop - list.clientHeight < stickWithin;
  }

  #scrollToEnd() {
    element("messages").scrollTop = element("messages").scrollHeight;
    element("jump").hidden = true;
  }
}

function messageItem({ senderId, text, timestamp, id }, me) {
  const date = new Date(timestamp);
  const isToday = date.toDateString() === new Date().toDateString();
  const when = make("time", { dateTime: date.toISOString() }, (isToday ? time : day).format(date));
  const isOwn = senderId === me;
  const who = make("span", { className: "who" }, make("bdi", {}, isOwn ? "You" : senderId), when);
  const item = make("li", {}, who, make("span", { className: "said", dir: "auto" }, text));
  item.dataset.sender = senderId;
  item.dataset.id = id;
  if (isOwn) {
    item.toggleAttribute("data-own", true);
    item.append(make("span", { className: "mark" }));
  }
  return item;
}

function gapItem() {
  const item = make("li", {}, "Some messages are missing here");
  item.toggleAttribute("data-gap", true);
  return item;
}

function emptyItem() {
  const item = make("li", {}, "Nothing has been said here yet.");
  item.toggleAttribute("data-empty", true);
  return item;
}

function typingLine(users) {
  if (users.length === 0) return "";
  if (users.length === 1) return `${users[0]} is typing…`;
  if (users.length === 2) return `${users[0]} and ${users[1]} are typing…`;
  return "Several people are typing…";
}

function make(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

function listen(id, type, action) {
  element(id).addEventListener(type, (event) => {
    event.preventDefault();
    action();
  });
}
