// The script of actions that our adapter and socketioxide answer in the Rust tests, against
// Node's own Socket.IO server: the same packets, up to the differences that it lists.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { describe, test } from "node:test";
import { Server } from "socket.io";
import { WebSocket } from "ws";

const script = JSON.parse(await readFile(new URL("../differential/script.json", import.meta.url), "utf8"));
const LIMIT = 5000;

/** Node's server with the handlers that the script counts on. */
async function serve(pingInterval) {
  const http = createServer();
  const io = new Server(http, { pingInterval, perMessageDeflate: false, httpCompression: false });
  for (const name of ["/", "/custom"]) io.of(name).on("connection", handlers);
  io.of("/guarded").use((socket, next) => next(new Error("no entry")));
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  return { url: `//127.0.0.1:${http.address().port}/socket.io/?`, close: () => io.close() };
}

function handlers(socket) {
  socket.on("echo", (...args) => socket.emit("echo", ...args));
  socket.on("ack", (...args) => args.pop()(...args));
  socket.on("ask", () => socket.emit("question", 1, (...answer) => socket.emit("answer", ...answer)));
  socket.on("join", (room, done) => {
    socket.join(room);
    done();
  });
  socket.on("say", (text) => socket.to("room").emit("said", text));
  socket.on("whisper", (text) => socket.volatile.to("room").emit("whispered", text));
  socket.on("kick", () => socket.disconnect());
  socket.on("close", () => socket.disconnect(true));
}

/** A WebSocket whose frames are read one after another, as lines. */
class Wire {
  #lines = [];
  #reader;

  constructor(url, seesPings) {
    this.socket = new WebSocket(url);
    this.socket.on("message", (data, isBinary) => {
      const text = data.toString();
      if (!isBinary && text === "2") this.socket.send("3");
      if (!isBinary && text === "2" && !seesPings) return;
      this.#push(isBinary ? `bytes ${data.toString("base64")}` : normal(text));
    });
    this.socket.on("close", () => this.#push("end"));
    this.socket.on("error", () => {}); // the close behind it is what counts
  }

  /** The status of the handshake. */
  async opened() {
    return new Promise((resolve, reject) => {
      this.socket.on("open", () => resolve("101"));
      this.socket.on("unexpected-response", (_, response) => resolve(String(response.statusCode)));
      setTimeout(() => reject(new Error("no handshake in time")), LIMIT).unref();
    });
  }

  next() {
    if (this.#lines.length > 0) return this.#lines.shift();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#push("nothing"), LIMIT);
      this.#reader = (line) => {
        clearTimeout(timer);
        resolve(line);
      };
    });
  }

  /** What came unread, up to the answer to a ping of the WebSocket. */
  async rest() {
    if (this.socket.readyState !== WebSocket.OPEN) return this.#lines;
    this.socket.ping();
    await Promise.race([once(this.socket, "pong"), once(this.socket, "close")]);
    return this.#lines;
  }

  #push(line) {
    const reader = this.#reader;
    this.#reader = undefined;
    if (reader) reader(line);
    else this.#lines.push(line);
  }
}

/** Ids are random. */
function normal(packet) {
  return /^(0|40)/.test(packet) ? packet.replace(/"sid":"[^"]*"/, '"sid":"<sid>"') : packet;
}

/** Plays one step and returns what was seen. */
async function play(server, state, step, frames) {
  const query = (text) => text.replace("{sid}", state.sid);
  if (step.open) {
    const [name, text] = step.open;
    const wire = new Wire(`ws:${server.url}${query(text)}`, state.seesPings);
    const status = await wire.opened();
    if (status === "101") state.wires.set(name, wire);
    else wire.socket.terminate();
    return [status];
  }
  if (step.request) {
    const [method, text, body] = step.request;
    const headers = { "content-type": "text/plain" };
    const options = { method, headers, ...(method === "GET" ? {} : { body }) };
    const seen = [];
    // One poll may bring a part of what is expected.
    do {
      const response = await fetch(`http:${server.url}${query(text)}`, options);
      if (seen.length === 0) seen.push(String(response.status));
      const packets = (await response.text()).split("\x1e");
      const open = packets.find((packet) => packet.startsWith("0{"));
      if (open) state.sid = JSON.parse(open.slice(1)).sid;
      seen.push(...packets.filter((packet) => state.seesPings || packet !== "2").map(normal));
    } while (method === "GET" && seen.length < frames && seen[0] === "200");
    return seen;
  }
  if (step.text) state.wires.get(step.text[0]).socket.send(step.text[1]);
  if (step.bytes) state.wires.get(step.bytes[0]).socket.send(Buffer.from(step.bytes[1], "base64"));
  const seen = [];
  while (step.read && seen.length < frames) {
    seen.push(await state.wires.get(step.read).next());
    if (["end", "nothing"].includes(seen.at(-1))) break;
  }
  return seen;
}

describe("Node's server", () => {
  for (const scenario of script.scenarios) {
    test(`does the same but for the listed differences: ${scenario.name}`, async (t) => {
      const server = await serve(scenario.ping ?? 25_000);
      const state = { wires: new Map(), sid: "", seesPings: scenario.ping !== undefined };
      t.after(() => {
        for (const wire of state.wires.values()) wire.socket.terminate();
        server.close();
      });
      for (const step of scenario.steps) {
        const expected = step.node ?? step.sees ?? [];
        assert.deepEqual(await play(server, state, step, expected.length), expected, JSON.stringify(step));
      }
      for (const [name, wire] of state.wires) {
        assert.deepEqual(await wire.rest(), [], `${name} saw more`);
      }
    });
  }
});
