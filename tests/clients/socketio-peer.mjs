// The official client, in the versions that people run, behind promises.

import { io as io4 } from "socket.io-client";
import { io as io3 } from "socket.io-client-v3";

/** The versions that are tested, and a function that opens a socket with each. */
export const VERSIONS = { "4.8": io4, "3.1": io3 };

export const POLLING = { transports: ["polling"] };
export const WEBSOCKET = { transports: ["websocket"] };

const LIMIT = 5000;

/** Opens sockets for one test and closes them at its end. */
export function opener(t, io) {
  return (url, options = {}) => {
    const socket = io(url, { forceNew: true, reconnection: false, ...options });
    t.after(() => socket.disconnect());
    return new SocketIoPeer(socket);
  };
}

/** One socket of the official client. */
export class SocketIoPeer {
  #unread = new Map(); // event → the arguments of those that nobody has awaited yet
  #readers = new Map();

  constructor(socket) {
    this.socket = socket;
  }

  /** Remembers these events from now on, so that none is missed between two awaits. */
  watch(...events) {
    for (const event of events) {
      this.#unread.set(event, []);
      this.socket.on(event, (...args) => {
        const reader = this.#readers.get(event);
        this.#readers.delete(event);
        if (reader) reader(args);
        else this.#unread.get(event).push(args);
      });
    }
    return this;
  }

  /** The arguments of the next event of this name. */
  next(event) {
    const unread = this.#unread.get(event);
    if (unread === undefined) throw new Error(`watch("${event}") first`);
    if (unread.length > 0) return Promise.resolve(unread.shift());
    return within(`event "${event}"`, (resolve) => this.#readers.set(event, resolve));
  }

  /** How many events of this name have come that nobody has awaited. */
  unread(event) {
    return this.#unread.get(event).length;
  }

  connected() {
    if (this.socket.connected) return Promise.resolve(this);
    return within("a connection", (resolve, reject) => {
      this.socket.once("connect", () => resolve(this));
      this.socket.once("connect_error", reject);
    });
  }

  /** The error with which the namespace refuses this socket. */
  refused() {
    return within("a refusal", (resolve, reject) => {
      this.socket.once("connect_error", resolve);
      this.socket.once("connect", () => reject(new Error("connected")));
    });
  }

  /** Resolves once the connection runs over a WebSocket. */
  upgraded() {
    const { engine } = this.socket.io;
    if (engine.transport.name === "websocket") return Promise.resolve();
    return within("an upgrade", (resolve) => engine.once("upgrade", resolve));
  }

  /** Resolves after this many pings of the server. */
  pings(count) {
    return within(`${count} pings`, (resolve) => {
      this.socket.io.engine.on("packet", ({ type }) => {
        if (type === "ping" && --count === 0) resolve();
      });
    });
  }

  disconnected() {
    return within("a disconnect", (resolve) => this.socket.once("disconnect", resolve));
  }

  emit(event, ...args) {
    this.socket.emit(event, ...args);
  }

  /** Emits with an acknowledgement and returns all of its arguments. */
  call(event, ...args) {
    return within(`an answer to "${event}"`, (resolve) => {
      this.socket.emit(event, ...args, (...reply) => resolve(reply));
    });
  }

  /** Emits with an acknowledgement and returns its first argument. */
  async ask(event, ...args) {
    const [reply] = await this.call(event, ...args);
    return reply;
  }
}

function within(what, executor) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what} in ${LIMIT} ms`)), LIMIT);
    const settle = (settled) => (value) => {
      clearTimeout(timer);
      settled(value);
    };
    executor(settle(resolve), settle(reject));
  });
}
