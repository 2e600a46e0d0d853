// A plain WebSocket of the `ws` package that speaks the native envelope.

import { WebSocket } from "ws";

const LIMIT = 5000;

/** Opens sockets for one test and closes them at its end. */
export function opener(t) {
  return async (url, options = {}) => {
    const socket = new WebSocket(url, options);
    t.after(() => socket.terminate());
    const peer = new NativePeer(socket);
    await within("a connection", (resolve, reject) => {
      socket.once("open", resolve);
      socket.once("error", reject);
    });
    return peer;
  };
}

/** The HTTP status with which an upgrade is refused, and the body. */
export function refusal(url, options = {}) {
  return within("a refusal", (resolve, reject) => {
    const socket = new WebSocket(url, options);
    socket.once("open", () => {
      socket.terminate();
      reject(new Error("connected"));
    });
    socket.once("error", reject);
    socket.once("unexpected-response", (request, response) => {
      socket.removeAllListeners("error").on("error", () => {});
      request.destroy();
      resolve({ status: response.statusCode, headers: response.headers });
    });
  });
}

/** One open WebSocket. */
export class NativePeer {
  #unread = [];
  #reader;

  constructor(socket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("error", () => {}); // "closed" tells it
    socket.on("message", (data) => {
      this.#unread.push(data);
      this.#reader?.();
    });
  }

  /** Sends an envelope; a string or a buffer is sent as it is. */
  send(envelope) {
    const raw = typeof envelope === "string" || Buffer.isBuffer(envelope);
    this.socket.send(raw ? envelope : JSON.stringify(envelope));
  }

  /** The next envelope, in the order received. */
  async next() {
    if (this.#unread.length === 0) {
      await within("an envelope", (resolve) => (this.#reader = resolve));
      this.#reader = undefined;
    }
    return JSON.parse(this.#unread.shift());
  }

  /** Sends a request and returns the next envelope. */
  ask(event, data, id) {
    this.send({ event, data, id });
    return this.next();
  }

  /** How many envelopes have come that nobody has awaited. */
  get unread() {
    return this.#unread.length;
  }
}

export function within(what, executor) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${what} in ${LIMIT} ms`)), LIMIT);
    const settle = (settled) => (value) => {
      clearTimeout(timer);
      settled(value);
    };
    executor(settle(resolve), settle(reject));
  });
}
