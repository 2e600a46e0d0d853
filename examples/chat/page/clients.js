// Two clients for one gateway. The page drives both through the same methods:
//
//   connect()                       open the connection, and again when it breaks
//   disconnect()                    close it and stay away
//   request(event, data)            a promise of the reply
//   stream(event, data, onItem)     { finished, stop() } of a streamed reply
//   on(name, listener)              "state", "frame", and what the server emits
//
// A "frame" is {direction, kind, text}, and has `item: true` if it is one of
// many that a stream consists of.
//
// A reply that is an error rejects the promise with the server's object
// {status: "error", message, code?, details?}.

const REPLY_TIMEOUT = 5000;

class Emitter {
  #listeners = new Map();

  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? [];
    this.#listeners.set(name, [...listeners, listener]);
    return this;
  }

  fire(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }
}

/** The stock `socket.io-client`, unchanged: `io("/chat")`. */
export class SocketIoClient extends Emitter {
  #socket;
  #engine;
  #streaming = new Set(); // the events under which streamed replies arrive

  constructor(url, events) {
    super();
    this.#socket = io(url, { autoConnect: false });
    this.#socket.on("connect", () => this.#announce());
    this.#socket.on("disconnect", () => {
      this.fire("state", { name: this.#socket.active ? "reconnecting" : "disconnected" });
    });
    this.#socket.on("connect_error", (error) => {
      const name = this.#socket.active ? "reconnecting" : "disconnected";
      this.fire("state", { name, problem: error.message });
    });
    for (const event of events) this.#socket.on(event, (data) => this.fire(event, data));
    // Each attempt has an engine of its own, which exists once the manager's
    // listeners have run; the microtask is still ahead of its first packet.
    this.#socket.io.on("reconnect_attempt", () => queueMicrotask(() => this.#inspect()));
  }

  connect() {
    this.fire("state", { name: "connecting" });
    this.#socket.connect();
    this.#inspect();
  }

  disconnect() {
    this.#socket.disconnect();
    this.fire("state", { name: "disconnected" });
  }

  async request(event, data) {
    return checked(await this.#socket.timeout(REPLY_TIMEOUT).emitWithAck(event, data));
  }

  stream(event, data, onItem) {
    const socket = this.#socket;
    const end = Promise.withResolvers();
    const lost = () => end.reject(new Error("connection lost"));
    this.#streaming.add(event);
    socket.on(event, onItem);
    socket.once("disconnect", lost);
    socket.emit(event, data, (reply) => {
      // The acknowledgement comes when the stream ends.
      if (reply?.status === "error") end.reject(reply);
      else end.resolve("complete");
    });
    const finished = end.promise.finally(() => {
      socket.off(event, onItem);
      socket.off("disconnect", lost);
    });
    const stop = () => {
      socket.emit("$cancel", event);
      end.resolve("stopped");
    };
    return { finished, stop };
  }

  #announce() {
    const engine = this.#socket.io.engine;
    this.fire("state", { name: "connected", transport: engine.transport.name });
  }

  /** Shows the packets of the engine below the socket. */
  #inspect() {
    const engine = this.#socket.io.engine;
    if (!engine || engine === this.#engine) return;
    this.#engine = engine;
    engine.on("packetCreate", (packet) => this.fire("frame", packetFrame("out", packet)));
    engine.on("packet", (packet) => {
      const frame = packetFrame("in", packet);
      const item = frame.kind === "event" && this.#streaming.has(eventName(frame.text));
      this.fire("frame", { ...frame, item });
    });
    engine.on("upgrade", (transport) => {
      this.fire("frame", { direction: "note", kind: "upgrade", text: `polling → ${transport.name}` });
      if (this.#socket.connected) this.#announce();
    });
    engine.on("close", (reason) => {
      this.fire("frame", { direction: "note", kind: "closed", text: String(reason) });
    });
  }
}

/** A plain `new WebSocket`, speaking the gateway's JSON envelope. */
export class NativeClient extends Emitter {
  #url;
  #events;
  #socket;
  #wanted = false;
  #attempts = 0;
  #timer;
  #lastId = 0;
  #waiting = new Map(); // id of a request → what to do with its replies

  constructor(url, events) {
    super();
    this.#url = url;
    this.#events = new Set(events);
  }

  connect() {
    this.#wanted = true;
    this.fire("state", { name: this.#attempts ? "reconnecting" : "connecting" });
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.onopen = () => {
      this.#attempts = 0;
      this.fire("frame", { direction: "note", kind: "open", text: socket.url });
      this.fire("state", { name: "connected", transport: "websocket" });
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#receive(data);
    };
    socket.onclose = (event) => {
      if (socket === this.#socket) this.#closed(event);
    };
  }

  disconnect() {
    this.#wanted = false;
    this.#attempts = 0;
    clearTimeout(this.#timer);
    this.#socket?.close(1000, "bye");
    this.#giveUpWaiting();
    this.fire("state", { name: "disconnected" });
  }

  request(event, data) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const id = this.#send(event, data, { reply: (frame) => resolve(frame.data), reject });
    const timer = setTimeout(() => reject(new Error("no reply in time")), REPLY_TIMEOUT);
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(id);
    });
  }

  stream(event, data, onItem) {
    const { promise, resolve, reject } = Promise.withResolvers();
    const reply = (frame) => (frame.done ? resolve("complete") : onItem(frame.data));
    const id = this.#send(event, data, { reply, reject, streamed: true });
    const finished = promise.finally(() => this.#waiting.delete(id));
    const stop = () => {
      this.#transmit({ cancel: id });
      resolve("stopped");
    };
    return { finished, stop };
  }

  /** Sends an envelope with a fresh id, by which the replies find their way back. */
  #send(event, data, waiting) {
    const id = ++this.#lastId;
    this.#waiting.set(id, waiting);
    if (!this.#transmit({ event, data, id })) waiting.reject(new Error("not connected"));
    return id;
  }

  #transmit(envelope) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    const text = JSON.stringify(envelope);
    this.#socket.send(text);
    this.fire("frame", { direction: "out", kind: "cancel" in envelope ? "cancel" : "request", text });
    return true;
  }

  #receive(text) {
    const frame = JSON.parse(text);
    const waiting = this.#waiting.get(frame.id);
    const kind = envelopeKind(frame);
    this.fire("frame", { direction: "in", kind, text, item: waiting?.streamed && kind === "reply" });
    if (waiting) {
      if (frame.event === "exception") waiting.reject(frame.data);
      else waiting.reply(frame);
    } else if (frame.id === undefined && this.#events.has(frame.event)) {
      this.fire(frame.event, frame.data);
    }
  }

  #closed({ code, reason }) {
    this.#giveUpWaiting();
    this.fire("frame", { direction: "note", kind: "closed", text: `${code} ${reason}`.trim() });
    if (!this.#wanted) return;
    // Wait longer after each failure, and never in step with other clients.
    const delay = Math.min(8000, 500 * 2 ** this.#attempts++) * (0.5 + Math.random() / 2);
    this.fire("state", { name: "reconnecting" });
    this.#timer = setTimeout(() => this.connect(), delay);
  }

  #giveUpWaiting() {
    for (const { reject } of this.#waiting.values()) reject(new Error("connection lost"));
  }
}

function checked(reply) {
  if (reply?.status === "error") throw reply;
  return reply;
}

/** The event of a Socket.IO packet such as `42/chat,["prompt",{…}]`. */
function eventName(text) {
  return /\["([^"]*)"/.exec(text)?.[1];
}

function envelopeKind(frame) {
  if (frame.event === "exception") return "exception";
  if (frame.done) return "done";
  return frame.id === undefined ? "event" : "reply";
}

const ENGINE_TYPES = ["open", "close", "ping", "pong", "message", "upgrade", "noop"];
const PACKET_TYPES = ["connect", "disconnect", "event", "ack", "connect_error", "event", "ack"];

/** An Engine.IO packet as it looks on the wire, named by what it carries. */
function packetFrame(direction, { type, data }) {
  if (typeof data === "object" && data !== null) {
    return { direction, kind: "binary", text: `${data.byteLength ?? data.size} bytes` };
  }
  const text = `${ENGINE_TYPES.indexOf(type)}${data ?? ""}`;
  const kind = type === "message" ? PACKET_TYPES[data[0]] : type;
  return { direction, kind, text };
}
