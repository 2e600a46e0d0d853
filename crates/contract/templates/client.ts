
/** Of each event that a gateway handles: its data, and its reply. */
export type Requests = Record<string, { data: unknown; reply: unknown; stream: boolean }>;

/** Of each event that a gateway emits: its data. */
export type Pushes = Record<string, unknown>;

type Plain<R extends Requests> = { [E in keyof R]: R[E]["stream"] extends true ? never : E }[keyof R] & string;
type Streamed<R extends Requests> = { [E in keyof R]: R[E]["stream"] extends true ? E : never }[keyof R] & string;
type DataOf<R extends Requests, E extends keyof R> = undefined extends R[E]["data"] ? [data?: R[E]["data"]] : [data: R[E]["data"]];

/** What a gateway answered instead of a reply. */
export class GatewayError extends Error {
  constructor(readonly exception: Exception) {
    super(exception.message);
    this.name = "GatewayError";
  }
}

interface Waiting {
  item(data: unknown): void;
  end(): void;
  fail(error: Error): void;
}

/** A client of one gateway on the native protocol. */
export class GatewayClient<R extends Requests, P extends Pushes> {
  private lastId = 0;
  private readonly waiting = new Map<number, Waiting>();
  private readonly listeners = new Map<string, Set<(data: unknown) => void>>();

  /** Takes over a socket that is open. */
  constructor(private readonly socket: WebSocket) {
    socket.addEventListener("message", (message) => this.receive(message.data));
    socket.addEventListener("close", (event) => {
      const error = new Error(`the connection was closed with ${event.code} ${event.reason}`);
      for (const waiting of this.waiting.values()) waiting.fail(error);
      this.waiting.clear();
    });
  }

  /** Connects to a gateway: `ws://host/namespace`. */
  static connect<R extends Requests, P extends Pushes>(url: string): Promise<GatewayClient<R, P>> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      socket.addEventListener("open", () => resolve(new GatewayClient<R, P>(socket)), { once: true });
      socket.addEventListener("error", () => reject(new Error(`cannot connect to ${url}`)), { once: true });
    });
  }

  /** Calls the listener for each event of this name; the result stops that. */
  on<E extends keyof P & string>(event: E, listener: (data: P[E]) => void): () => void {
    const listeners = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, listeners);
    const untyped = listener as (data: unknown) => void;
    listeners.add(untyped);
    return () => void listeners.delete(untyped);
  }

  /** Sends an event without asking for a reply. */
  emit<E extends keyof R & string>(event: E, ...data: DataOf<R, E>): void {
    this.socket.send(JSON.stringify({ event, data: data[0] }));
  }

  /** Sends an event and waits for its reply. Fails with a {@link GatewayError}. */
  request<E extends Plain<R>>(event: E, ...data: DataOf<R, E>): Promise<R[E]["reply"]> {
    return new Promise((resolve, reject) => {
      this.ask(event, data[0], (id) => ({
        item: (reply) => {
          this.waiting.delete(id);
          resolve(reply as R[E]["reply"]);
        },
        end: () => resolve(undefined as R[E]["reply"]),
        fail: reject,
      }));
    });
  }

  /** Sends an event whose reply is a stream. Leaving the loop cancels it. */
  async *stream<E extends Streamed<R>>(event: E, ...data: DataOf<R, E>): AsyncGenerator<R[E]["reply"], void, void> {
    const items: unknown[] = [];
    let ended = false;
    let failure: Error | undefined;
    let wake = (): void => {};
    const id = this.ask(event, data[0], () => ({
      item: (item) => void (items.push(item), wake()),
      end: () => void ((ended = true), wake()),
      fail: (error) => void ((failure = error), wake()),
    }));
    try {
      for (;;) {
        while (items.length > 0) yield items.shift() as R[E]["reply"];
        if (failure) throw failure;
        if (ended) return;
        await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      if (this.waiting.delete(id) && this.socket.readyState === WebSocket.OPEN) {
        this.socket.send(JSON.stringify({ cancel: id }));
      }
    }
  }

  /** Ends the connection. */
  close(code = 1000, reason = ""): void {
    this.socket.close(code, reason);
  }

  private ask(event: string, data: unknown, waiting: (id: number) => Waiting): number {
    const id = ++this.lastId;
    this.waiting.set(id, waiting(id));
    this.socket.send(JSON.stringify({ event, data, id }));
    return id;
  }

  private receive(message: unknown): void {
    if (typeof message !== "string") return;
    const envelope = JSON.parse(message) as { event: string; data?: unknown; id?: number; done?: boolean };
    const waiting = envelope.id === undefined ? undefined : this.waiting.get(envelope.id);
    if (waiting === undefined || envelope.id === undefined) {
      for (const listener of this.listeners.get(envelope.event) ?? []) listener(envelope.data);
    } else if (envelope.event === "exception") {
      this.waiting.delete(envelope.id);
      waiting.fail(new GatewayError(envelope.data as Exception));
    } else if (envelope.done) {
      this.waiting.delete(envelope.id);
      waiting.end();
    } else {
      waiting.item(envelope.data);
    }
  }
}
