// The client of the wire reference, as it stands there, loses its connection and comes back.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";
import { WebSocket } from "ws";
import { Program } from "../support/program.mjs";
import { opener, within } from "./native-peer.mjs";

let gateway;

before(async () => {
  gateway = await Program.start("fixture-gateway", "--recovery", "60000");
});

after(() => gateway?.stop());

/** The function `connect` of the reference, and the sockets that it opens. */
async function reference(t) {
  const sockets = [];
  class Recorded extends WebSocket {
    constructor(url) {
      super(url);
      sockets.push(this);
      t.after(() => {
        // The end of the test is no loss to come back from.
        this.onclose = undefined;
        this.terminate();
      });
    }
  }
  const file = new URL("../../docs/snippets/recovering-client.js", import.meta.url);
  const source = await readFile(file, "utf8");
  const connect = new Function("WebSocket", `${source}; return connect;`)(Recorded);
  return { connect, sockets };
}

/** Frames and fresh starts as they come, each to be waited for. */
function mailbox() {
  const unread = [];
  let reader;
  return {
    put(message) {
      unread.push(message);
      reader?.();
    },
    next: () =>
      within("a message", (resolve) => {
        reader = () => {
          if (unread.length === 0) return;
          // A reader that is served takes nothing more: what comes before the next one waits.
          reader = undefined;
          resolve(unread.shift());
        };
        reader();
      }),
  };
}

test("the client of the wire reference misses nothing", async (t) => {
  const { connect, sockets } = await reference(t);
  const seen = mailbox();
  const client = connect(
    `${gateway.ws}/`,
    ({ event, data }) => seen.put([event, data]),
    (reason) => seen.put(["fresh", reason]),
  );
  assert.deepEqual(await seen.next(), ["fresh", undefined]);
  client.send("join", { room: "r" });
  assert.deepEqual(await seen.next(), ["join", { joined: "r" }]);

  const other = await opener(t)(`${gateway.ws}/`);
  await other.next(); // its session
  sockets[0].terminate();
  for (const text of [1, 2, 3]) {
    assert.equal((await other.ask("shout", { room: "r", text }, text)).data, 1);
  }
  for (const text of [1, 2, 3]) {
    const [event, data] = await seen.next();
    assert.deepEqual([event, data.text], ["said", text]);
  }
  assert.equal(sockets.length, 2);
  client.send("rooms");
  const [event, rooms] = await seen.next();
  assert.equal(event, "rooms");
  assert.ok(rooms.includes("r"), rooms.join());
});

test("a session that nobody knows begins anew and says why", async (t) => {
  const url = `${gateway.ws}/?session=${"A".repeat(24)}&offset=1`;
  const peer = await opener(t)(url);
  const { event, data } = await peer.next();
  assert.equal(event, "$session");
  assert.equal(data.recovered, false);
  assert.equal(data.reason, "unknown");
});
