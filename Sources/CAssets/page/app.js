// Puts the page together: the connection on one side, what is known of the rooms in the middle, the view on the other.
//
// What tests and scripts may rely on:
//   #name, #login                       the first screen: a name, and the button that takes it
//   #room                               a room's name; Enter goes there
//   #rooms button[data-room]            the rooms that were joined; aria-current marks the one that is shown
//   #text, #send                        the message to write; Enter sends, Shift+Enter begins a line
//   #messages li[data-seq][data-sender] a message; data-seq is empty until it has a number
//     [data-id]                         what its sender calls it
//     [data-delivery]                   on own messages: sending | sent | failed
//   #messages li[data-gap]              marks where messages are missing
//   #presence li[data-user]             who is here
//   #typing                             who types; empty when nobody does
//   #state[data-state]                  connecting | online | reconnecting | offline
//   #retry                              reconnects at once; shown while waiting
//   #session[data-session]              expiring | renewed, for a moment each; else empty
//   #slow                               that the edge holds messages back; empty when it does not

import { Connection } from "./connection.js";
import { Rooms } from "./store/rooms.js";
import { View } from "./view.js";

const typingInterval = 2500; // ms; less than the worker's 6 s, after which it takes a typist for gone
const rooms = new Rooms();
const connection = new Connection();
const view = new View();
let shown = "lobby";
let typingSaid = 0;

// The connection tells.

connection.addEventListener("state", ({ detail }) => view.showState(detail));
connection.addEventListener("refused", ({ detail }) => view.showLogin(detail));

connection.addEventListener("envelope", ({ detail: { type, data } }) => {
  switch (type) {
    case "welcome":
      rooms.me = data.senderId;
      rooms.maxTextBytes = data.maxTextBytes;
      for (const room of rooms.all()) connection.send("join", rooms.resumption(room.name));
      break;
    case "joined":
      rooms.joined(data);
      for (const message of rooms.unsent(data.room)) connection.send("message", message);
      break;
    case "message": rooms.message(data, { isShown: data.room === shown && !document.hidden }); break;
    case "ack": rooms.acknowledged(data); break;
    case "presence": rooms.presence(data); break;
    case "typing": rooms.typing(data); break;
    case "error": fail(data); break;
    case "edge.throttle": view.showThrottle(data); break;
    case "edge.token_expiring": view.showSession("expiring", data.expires_in_ms); break;
    case "edge.token_renewed": view.showSession("renewed", data.expires_in_ms); break;
  }
  refresh();
});

function fail(error) {
  if (error.id && rooms.failed(error)) return;
  if (error.code === "rooms_full" || error.code === "too_many_rooms") {
    rooms.forget(error.room);
    if (shown === error.room) show(rooms.all()[0]?.name ?? "lobby");
  }
  view.showNotice(error.message);
}

// The user acts.

view.onLogin = (name) => {
  sessionStorage.setItem("name", name);
  view.showChat();
  connection.start(name);
  show(roomInAddress());
};

view.onRoom = show;
view.onRetry = () => connection.connectNow();

view.onSend = (text) => {
  const message = rooms.compose(shown, text);
  if (typeof message === "string") {
    view.showNotice(message);
    return false;
  }
  typingSaid = 0;
  if (rooms.get(shown).isJoined) connection.send("message", message);
  refresh();
  return true;
};

view.onResend = (id) => {
  const message = rooms.again(shown, id);
  if (message) connection.send("message", message);
  refresh();
};

view.onTyping = (isTyping) => {
  const now = Date.now();
  if (isTyping ? now - typingSaid < typingInterval : typingSaid === 0) return;
  typingSaid = isTyping ? now : 0;
  connection.send("typing", { room: shown, active: isTyping });
};

function show(name) {
  shown = name;
  if (!rooms.get(name)) {
    rooms.add(name);
    connection.send("join", { room: name });
  }
  rooms.markRead(name);
  if (roomInAddress() !== name) history.replaceState(null, "", `#/${name}`);
  refresh();
}

function roomInAddress() {
  const name = /^#\/([A-Za-z0-9_.-]{1,64})$/.exec(location.hash)?.[1];
  return name ?? "lobby";
}

// Many envelopes may come at once: the view follows once a frame.

let isRefreshDue = false;
function refresh() {
  if (isRefreshDue) return;
  isRefreshDue = true;
  const draw = () => {
    isRefreshDue = false;
    view.render(rooms, shown);
  };
  document.hidden ? setTimeout(draw) : requestAnimationFrame(draw);
}

setInterval(() => {
  if (rooms.expire(Date.now())) refresh();
  if (rooms.oldestUnanswered(Date.now()) > connection.answerTimeout) connection.suspect();
}, 1000);

addEventListener("hashchange", () => connection.isStarted && show(roomInAddress()));
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) rooms.markRead(shown);
  refresh();
});

const name = sessionStorage.getItem("name");
name ? view.onLogin(name) : view.showLogin();
