// The page: two halves that show the same chat through two different clients,
// and a token stream below each. How the clients talk is in clients.js.

import { NativeClient, SocketIoClient } from "/clients.js";

const EVENTS = ["message", "members", "exception"];
const NAMES = ["Ada", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Grace", "Ken", "Margaret", "Radia"];
const TRANSPORTS = { socketio: "Socket.IO", native: "WebSocket" };
const STATES = {
  connecting: "connecting",
  connected: "connected",
  reconnecting: "reconnecting",
  disconnected: "disconnected",
};
const MOST_MESSAGES = 300;
const MOST_FRAMES = 250;

const byId = (id) => document.getElementById(id);
const secure = location.protocol === "https:";
const nativeUrl = `${secure ? "wss" : "ws"}://${location.host}/chat`;

/** Creates an element with a class and a text, which is never read as HTML. */
function element(tag, className, text = "") {
  const created = document.createElement(tag);
  created.className = className;
  created.textContent = text;
  return created;
}

/** A list that follows its end, unless somebody has scrolled up to read. */
class Tail {
  #list;
  #most;

  constructor(list, most) {
    this.#list = list;
    this.#most = most;
  }

  add(row) {
    const list = this.#list;
    const follows = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    list.append(row);
    while (list.childElementCount > this.#most) list.firstElementChild.remove();
    if (follows) list.scrollTop = list.scrollHeight;
  }

  clear() {
    this.#list.replaceChildren();
  }
}

/** One half of the page: connection, messages and frames of one client. */
class Half {
  constructor({ page, transport, call, client, name }) {
    this.page = page;
    this.transport = transport;
    this.client = client;
    this.connected = false;
    this.members = new Map();

    const root = byId("half").content.cloneNode(true).firstElementChild;
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    root.classList.add(transport);
    root.setAttribute("aria-label", TRANSPORTS[transport]);
    this.find("h2").textContent = TRANSPORTS[transport];
    this.find(".call").textContent = call;
    this.find(".call").title = call;
    this.find(".log").setAttribute("aria-label", `Messages, ${TRANSPORTS[transport]}`);
    this.find(".frames").setAttribute("aria-label", `Frames, ${TRANSPORTS[transport]}`);
    this.find(".text").setAttribute("aria-label", `Message, ${TRANSPORTS[transport]}`);
    this.find(".name").setAttribute("aria-label", `Name, ${TRANSPORTS[transport]}`);
    this.find(".name").value = name;
    // On a small screen the messages come first; the frames are one tap away.
    this.find(".inspector").open = matchMedia("(min-width: 760px)").matches;

    this.log = new Tail(this.find(".log"), MOST_MESSAGES);
    this.frames = new Tail(this.find(".frames"), MOST_FRAMES);
    this.counts = { in: 0, out: 0 };
    this.#listen();
    this.#showTally();
  }

  get name() {
    return this.find(".name").value.trim() || "Somebody";
  }

  #listen() {
    this.client
      .on("state", (state) => this.#changeState(state))
      .on("frame", (frame) => this.#showFrame(frame))
      .on("message", (message) => this.#showMessage(message))
      .on("members", ({ members }) => this.#changeMembers(members))
      .on("exception", (error) => this.#note(error.message, "problem"));
    this.find(".say").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#say();
    });
    this.find(".name").addEventListener("change", () => {
      sessionStorage.setItem(`name-${this.transport}`, this.name);
      this.join();
    });
    this.find(".toggle").addEventListener("click", () => {
      if (this.wanted) this.client.disconnect();
      else this.client.connect();
    });
    this.find(".clear").addEventListener("click", () => {
      this.frames.clear();
      this.counts = { in: 0, out: 0 };
      this.run = undefined;
      this.#showTally();
    });
  }

  /** Enters the room of the page, or tells the room a new name. */
  async join() {
    if (!this.connected) return;
    try {
      const { room, members } = await this.client.request("join", { room: this.page.room, name: this.name });
      if (this.joined !== room) {
        this.joined = room;
        this.members.clear();
        this.#note(`You joined #${room}`);
        this.#changeMembers(members, true);
      } else {
        this.#changeMembers(members);
      }
    } catch (error) {
      this.#note(`Could not join: ${error.message}`, "problem");
    }
  }

  async #say() {
    const field = this.find(".text");
    const text = field.value.trim();
    if (!text) return;
    field.value = "";
    const row = this.#messageRow({ from: { name: this.name }, text, own: true });
    row.classList.add("sending");
    this.log.add(row);
    this.find(".log").scrollTop = this.find(".log").scrollHeight;
    try {
      const { at } = await this.client.request("say", { text });
      row.querySelector("time").textContent = clock(at);
    } catch (error) {
      row.classList.add("failed");
      row.querySelector("time").textContent = `not sent: ${error.message}`;
    } finally {
      row.classList.remove("sending");
    }
  }

  #showMessage(message) {
    this.log.add(this.#messageRow(message));
  }

  #messageRow({ from, text, at, own = false }) {
    const row = element("div", own ? "message own" : "message");
    const transport = own ? this.transport : this.members.get(from.id)?.transport;
    const head = element("span", `from ${transport ?? ""}`, from.name);
    const time = element("time", "", at === undefined ? "sending" : clock(at));
    row.append(head, element("span", "body", text), time);
    return row;
  }

  #note(text, kind = "") {
    this.log.add(element("p", `note ${kind}`.trim(), text));
  }

  #changeMembers(members, silently = false) {
    const before = this.members;
    this.members = new Map(members.map((member) => [member.id, member]));
    if (!silently) {
      for (const { id, name } of members) if (!before.has(id)) this.#note(`${name} joined`);
      for (const { id, name } of before.values()) if (!this.members.has(id)) this.#note(`${name} left`);
    }
    this.page.showMembers();
  }

  #changeState(state) {
    this.connected = state.name === "connected";
    if (!this.connected) {
      this.joined = undefined;
      this.members.clear();
      this.page.showMembers();
    }
    this.#showState(state);
    if (this.connected && this.joined === undefined) this.join();
  }

  #showState({ name, transport, problem }) {
    this.wanted = name !== "disconnected";
    const state = this.find(".state");
    state.dataset.state = name;
    state.textContent = [STATES[name], transport].filter(Boolean).join(" · ");
    state.title = problem ?? "";
    this.find(".toggle").textContent = this.wanted ? "Disconnect" : "Connect";
    this.find(".say button").disabled = !this.connected;
    this.page.showStart();
  }

  #showFrame({ direction, kind, text, item }) {
    if (direction in this.counts) this.counts[direction] += 1;
    this.#showTally();
    // The items of a stream share one row, or nothing else would be seen.
    if (item && this.run) {
      this.run.times += 1;
      this.run.row.querySelector(".times").textContent = `×${this.run.times} `;
      this.run.row.querySelector(".payload").textContent = text;
      return;
    }
    const row = frameRow({ direction, kind, text });
    this.frames.add(row);
    this.run = item ? { row, times: 1 } : undefined;
  }

  #showTally() {
    this.find(".inspector .tally").textContent = `↑ ${this.counts.out}  ↓ ${this.counts.in}`;
  }
}

function frameRow({ direction, kind, text }) {
  const row = element("li", `frame ${direction}`);
  const arrow = element("span", "arrow", { in: "↓", out: "↑", note: "·" }[direction]);
  arrow.title = { in: "received", out: "sent", note: "" }[direction];
  const code = element("code", "");
  code.append(element("span", "times"), element("span", "payload", text));
  row.append(arrow, element("span", "kind", kind), code);
  return row;
}

/** The token stream of one half. */
class Stream {
  constructor(page, half) {
    this.page = page;
    this.half = half;
    this.running = undefined;
    const root = byId("stream").content.cloneNode(true).firstElementChild;
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    root.classList.add(half.transport);
    root.setAttribute("aria-label", `Stream, ${TRANSPORTS[half.transport]}`);
    this.find(".tokens").setAttribute("aria-label", `Tokens, ${TRANSPORTS[half.transport]}`);
    this.find("h3").textContent = TRANSPORTS[half.transport];
    this.find(".stop").addEventListener("click", () => this.running?.stop());
  }

  async start(text) {
    if (this.running || !this.half.connected) return;
    this.find(".tokens").replaceChildren();
    this.count = 0;
    this.since = performance.now();
    this.running = this.half.client.stream("prompt", { text }, (token) => this.#show(token));
    this.#mark("waiting for the first token");
    let end;
    try {
      end = await this.running.finished;
    } catch (error) {
      end = error.message;
    }
    this.running = undefined;
    const seconds = ((performance.now() - this.since) / 1000).toFixed(1);
    this.#mark(`${this.count} tokens in ${seconds} s · ${end}`);
  }

  #show({ text }) {
    if (!this.running) return;
    this.count += 1;
    const tokens = this.find(".tokens");
    tokens.append(element("span", "token", text));
    tokens.scrollTop = tokens.scrollHeight;
    const rate = (1000 * this.count) / (performance.now() - this.since);
    this.#mark(`${this.count} tokens · ${rate.toFixed(0)} a second`);
  }

  #mark(text) {
    const running = this.running !== undefined;
    this.find(".tally").textContent = text;
    this.find(".stop").disabled = !running;
    this.root.classList.toggle("running", running);
    this.find(".tokens").setAttribute("aria-busy", String(running));
    this.page.showStart();
  }
}

/** What both halves share: the room, its members, and the start of streams. */
class Page {
  constructor() {
    this.room = decodeURIComponent(location.hash.slice(1)) || "lobby";
    const [left, right] = names();
    this.halves = [
      new Half({
        page: this,
        transport: "socketio",
        call: 'io("/chat")',
        client: new SocketIoClient("/chat", EVENTS),
        name: left,
      }),
      new Half({
        page: this,
        transport: "native",
        call: `new WebSocket("${nativeUrl}")`,
        client: new NativeClient(nativeUrl, EVENTS),
        name: right,
      }),
    ];
    this.streams = this.halves.map((half) => new Stream(this, half));
    byId("halves").append(...this.halves.map((half) => half.root));
    byId("streams").append(...this.streams.map((stream) => stream.root));
    byId("room-name").value = this.room;

    byId("room-form").addEventListener("submit", (event) => {
      event.preventDefault();
      byId("room-name").blur();
    });
    byId("room-name").addEventListener("change", () => this.enter(byId("room-name").value));
    addEventListener("hashchange", () => this.enter(decodeURIComponent(location.hash.slice(1))));
    byId("prompt-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const text = byId("prompt-text").value.trim();
      if (text) for (const stream of this.streams) stream.start(text);
    });
  }

  start() {
    this.showMembers();
    for (const half of this.halves) half.client.connect();
  }

  enter(name) {
    const room = name.trim().replace(/^#/, "") || "lobby";
    byId("room-name").value = room;
    if (room === this.room) return;
    this.room = room;
    location.hash = encodeURIComponent(room);
    for (const half of this.halves) half.join();
  }

  showMembers() {
    const half = this.halves.find((half) => half.members.size > 0);
    const members = half ? [...half.members.values()] : [];
    const rows = members.map(({ name, transport }) => {
      const row = element("li", transport);
      const initial = element("span", "initial", [...name][0]?.toUpperCase() ?? "?");
      initial.setAttribute("aria-hidden", "true");
      row.append(initial, element("span", "", name), element("span", "by", TRANSPORTS[transport] ?? transport));
      return row;
    });
    if (rows.length === 0) rows.push(element("li", "nobody", "nobody connected"));
    byId("members").replaceChildren(...rows);
  }

  showStart() {
    const ready = this.streams?.some((stream) => !stream.running && stream.half.connected);
    byId("prompt-start").disabled = !ready;
  }
}

/** Two different names, kept for this tab. */
function names() {
  const first = Math.floor(Math.random() * NAMES.length);
  const second = first + 1 + Math.floor(Math.random() * (NAMES.length - 1));
  const drawn = [NAMES[first], NAMES[second % NAMES.length]];
  return ["socketio", "native"].map((transport, index) => {
    const key = `name-${transport}`;
    const name = sessionStorage.getItem(key) ?? drawn[index];
    sessionStorage.setItem(key, name);
    return name;
  });
}

function clock(at) {
  return new Date(at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

new Page().start();
