// The chat page in a real browser: the stock socket.io-client on the left and
// a plain WebSocket on the right, in one room of one gateway.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { Program } from "../support/program.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const artifacts = `${root}artifacts`;
const LIMIT = 10_000;

let chat;
let browser;

before(async () => {
  await mkdir(artifacts, { recursive: true });
  chat = await Program.start("examples/chat");
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser?.close();
  await chat?.stop();
});

/** Runs `body` on a fresh page in a room of its own, and fails on any error in the page. */
function onThePage(name, { room = name.replace(/\W+/g, "-"), ...options }, body) {
  test(name, { timeout: 60_000 }, async (t) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    context.setDefaultTimeout(LIMIT);
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (error) => problems.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") problems.push(message.text());
    });
    t.after(() => context.close());
    await page.goto(`${chat.http}/#${room.slice(0, 40)}`);
    const half = (transport, person) => new Half(page, transport, person);
    await body({ page, socketio: half("socketio", "Ada"), native: half("native", "Grace") });
    assert.deepEqual(problems, []);
  });
}

class Half {
  constructor(page, transport, person) {
    this.page = page;
    this.transport = transport;
    this.person = person;
    this.root = page.locator(`.half.${transport}`);
    this.stream = page.locator(`.stream.${transport}`);
  }

  /** Waits for the connection and takes the person's name. */
  async enter() {
    await this.root.locator(".state", { hasText: "connected · websocket" }).waitFor();
    await this.root.locator(".name").fill(this.person);
    await this.root.locator(".name").blur();
    await this.page.locator(`.members .${this.transport}`, { hasText: this.person }).waitFor();
  }

  async say(text) {
    await this.root.locator(".text").fill(text);
    await this.root.getByRole("button", { name: "Send" }).click();
    await this.root.locator(".message.own:not(.sending):not(.failed)", { hasText: text }).waitFor();
  }

  async hears(person, text) {
    const message = this.root.locator(".message:not(.own)", { hasText: text });
    await message.waitFor();
    assert.equal(await message.locator(".from").textContent(), person);
  }

  tokens() {
    return this.stream.locator(".token").count();
  }

  async tokensReach(count) {
    await this.stream.locator(".token").nth(count - 1).waitFor();
  }

  tally(text) {
    return this.stream.locator(".tally", { hasText: text }).waitFor();
  }

  frame(kind, text) {
    return this.root
      .locator(".frame", { has: this.page.locator(".kind", { hasText: kind }) })
      .filter({ hasText: text })
      .first()
      .waitFor();
  }
}

onThePage("both halves connect and see each other", {}, async ({ page, socketio, native }) => {
  await socketio.enter();
  await native.enter();
  const members = await page.locator(".members li").allTextContents();
  assert.deepEqual(members.sort(), ["AAdaSocket.IO", "GGraceWebSocket"]);
});

onThePage("a message from each side arrives on the other", {}, async ({ socketio, native }) => {
  await socketio.enter();
  await native.enter();
  await socketio.say("hello from the left");
  await native.hears("Ada", "hello from the left");
  await native.say("<b>hello</b> from the right ✓");
  await socketio.hears("Grace", "<b>hello</b> from the right ✓");
});

onThePage("the inspector shows the frames of both wires", {}, async ({ socketio, native }) => {
  await socketio.enter();
  await native.enter();
  await socketio.frame("connect", "40/chat,");
  await socketio.frame("upgrade", "polling → websocket");
  await socketio.say("one");
  await socketio.frame("event", '["say",');
  await socketio.frame("ack", "43/chat,");
  await native.frame("event", '"event":"message"');
  await native.say("two");
  await native.frame("request", '"event":"say"');
  await native.frame("reply", '"event":"say"');
  await socketio.frame("event", '42/chat,["message",');
});

onThePage("tokens stream to both halves until the end", {}, async ({ page, socketio, native }) => {
  await socketio.enter();
  await native.enter();
  await page.getByLabel("Prompt").fill("short");
  await page.getByRole("button", { name: "Start" }).click();
  await socketio.tokensReach(5);
  await native.tokensReach(5);
  await socketio.stream.locator(".tally", { hasText: "complete" }).waitFor({ timeout: 30_000 });
  await native.stream.locator(".tally", { hasText: "complete" }).waitFor({ timeout: 30_000 });
  const text = await socketio.stream.locator(".tokens").textContent();
  assert.equal(await native.stream.locator(".tokens").textContent(), text);
  await native.frame("done", '"done":true');
});

onThePage("stop ends one stream and leaves the other", {}, async ({ page, socketio, native }) => {
  await socketio.enter();
  await native.enter();
  await page.getByRole("button", { name: "Start" }).click();
  await native.tokensReach(3);
  await native.stream.getByRole("button", { name: "Stop" }).click();
  await native.tally("stopped");
  await native.frame("cancel", '{"cancel":');
  const [stopped, running] = [await native.tokens(), await socketio.tokens()];
  await socketio.tokensReach(running + 5);
  assert.equal(await native.tokens(), stopped);
  await socketio.stream.getByRole("button", { name: "Stop" }).click();
  await socketio.tally("stopped");
  await socketio.frame("event", '["$cancel","prompt"]');
});

onThePage("a client that leaves and comes back is in the room again", {}, async ({ page, socketio, native }) => {
  await socketio.enter();
  await native.enter();
  for (const [gone, stays] of [[socketio, native], [native, socketio]]) {
    await gone.root.getByRole("button", { name: "Disconnect" }).click();
    await stays.root.locator(".note", { hasText: `${gone.person} left` }).waitFor();
    await page.locator(".members li", { hasText: gone.person }).waitFor({ state: "detached" });
    await gone.root.getByRole("button", { name: "Connect", exact: true }).click();
    await gone.enter();
    await gone.say(`${gone.person} is back`);
    await stays.hears(gone.person, `${gone.person} is back`);
  }
});

onThePage("a message does not leave its room", {}, async ({ page, socketio, native }) => {
  await socketio.enter();
  await native.enter();
  await socketio.say("in the first room");
  await native.hears("Ada", "in the first room");
  await page.getByRole("textbox", { name: "Room" }).fill("second");
  await page.getByRole("textbox", { name: "Room" }).press("Enter");
  await native.root.locator(".note", { hasText: "You joined #second" }).waitFor();
  await socketio.root.locator(".note", { hasText: "You joined #second" }).waitFor();
  await native.say("in the second room");
  await socketio.hears("Grace", "in the second room");
  assert.match(page.url(), /#second$/);
});

test("the page is served by the gateway's port alone", async (t) => {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const hosts = new Set();
  page.on("request", (request) => {
    if (!request.url().startsWith("data:")) hosts.add(new URL(request.url()).host);
  });
  await page.goto(`${chat.http}/#alone`);
  await page.locator(".half.socketio .state", { hasText: "connected" }).waitFor({ timeout: LIMIT });
  assert.deepEqual([...hosts], [`127.0.0.1:${chat.port}`]);
});

test("the vendored socket.io-client is the file that its source note names", async () => {
  const vendor = `${root}examples/chat/page/vendor`;
  const file = await readFile(`${vendor}/socket.io.min.js`);
  const hash = createHash("sha256").update(file).digest("hex");
  const source = await readFile(`${vendor}/SOURCE.md`, "utf8");
  assert.ok(source.includes(hash), `SOURCE.md should name the hash ${hash}`);
  const served = await fetch(`${chat.http}/socket.io.min.js`);
  assert.match(served.headers.get("content-type"), /javascript/);
  assert.deepEqual(Buffer.from(await served.arrayBuffer()), file);
});

const looks = {
  desktop: { viewport: { width: 1280, height: 960 } },
  dark: { viewport: { width: 1280, height: 960 }, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

for (const [look, options] of Object.entries(looks)) {
  onThePage(`the page looks right: ${look}`, { ...options, room: "lobby" }, async ({ page, socketio, native }) => {
    await socketio.enter();
    await native.enter();
    await socketio.say("Hello from the stock socket.io-client");
    await native.hears("Ada", "Hello from the stock socket.io-client");
    await native.say("And hello from a plain new WebSocket");
    await socketio.hears("Grace", "And hello from a plain new WebSocket");
    await socketio.say("Same room, same handlers, one port");
    await native.hears("Ada", "Same room, same handlers, one port");
    await page.getByRole("button", { name: "Start" }).click();
    await socketio.tokensReach(30);
    await native.tokensReach(30);
    const tooWide = await page.evaluate(() => {
      const wide = (box) => box.scrollWidth > box.clientWidth;
      return [document.documentElement, ...document.querySelectorAll(".card")].filter(wide).length;
    });
    assert.equal(tooWide, 0, "nothing is wider than its card or than the screen");
    await page.screenshot({ path: `${artifacts}/chat-${look}.png`, fullPage: look !== "phone" });
  });
}
