// A worker on node's `ws`. See README.md.

const crypto = require("crypto");
const fs = require("fs");
const http = require("http");
const { Readable } = require("stream");
const { WebSocketServer } = require("ws");

function fieldsOf(request) {
  const raw = request.rawHeaders;
  const pairs = [];
  for (let i = 0; i < raw.length; i += 2) pairs.push([raw[i].toLowerCase(), raw[i + 1]]);
  return JSON.stringify(pairs);
}

// The same ten megabytes as those of large.py.
function* large() {
  for (let start = 0; start < 1250000; start += 12500) {
    const lines = Array.from({ length: 12500 }, (_, index) => String(start + index).padStart(7, "0") + "\n");
    yield lines.join("");
  }
}

const server = http.createServer((request, response) => {
  const { method, url } = request;
  if (method === "POST" && url.endsWith("/echo")) {
    response.writeHead(200);
    return request.pipe(response);
  }
  if (method === "POST" && url.endsWith("/digest")) {
    const digest = crypto.createHash("sha256").setEncoding("hex");
    return request.pipe(digest).pipe(response);
  }
  if (["GET", "HEAD"].includes(method) && url.endsWith("/hello")) return response.end("hello");
  if (method === "GET" && url.endsWith("/headers")) return response.end(fieldsOf(request));
  if (method === "GET" && url.endsWith("/large")) return Readable.from(large()).pipe(response);
  if (method === "GET" && url.endsWith("/events")) {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    return response.write("data: first\n\n");
  }
  response.writeHead(404);
  response.end("nothing here");
});

const sockets = new WebSocketServer({
  server,
  maxPayload: 16 << 20,
  handleProtocols: (offered) => (offered.has("chat.v2") ? "chat.v2" : false),
});

sockets.on("connection", (socket, request) => {
  socket.on("error", () => {});
  socket.on("close", (code, reason) => {
    const line = JSON.stringify({ path: request.url, code, reason: String(reason) });
    fs.appendFileSync(process.env.WORKER_JOURNAL, line + "\n");
  });
  socket.on("pong", (data) => socket.send(`pong ${data}`));
  socket.on("message", (data, isBinary) => {
    const [word, ...rest] = isBinary ? [] : String(data).split(" ");
    if (word === "!close") return socket.close(Number(rest[0]), rest.slice(1).join(" "));
    if (word === "!ping") return socket.ping(rest.join(" "));
    if (word === "!headers") return socket.send(fieldsOf(request));
    if (word === "!fragments") return rest.forEach((part, index) => socket.send(part, { fin: index === rest.length - 1 }));
    socket.send(data, { binary: isBinary });
  });
});

server.listen(process.argv[2]);
