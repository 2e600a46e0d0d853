// The paths of one gateway with a pattern are namespaces of their own, as Node's dynamic
// namespaces are, for both kinds of clients.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Program } from "../support/program.mjs";
import * as native from "./native-peer.mjs";
import * as socketio from "./socketio-peer.mjs";

let gateway;

before(async () => {
  gateway = await Program.start("fixture-gateway");
});

after(() => gateway?.stop());

async function join(peer, room) {
  assert.deepEqual(await peer.ask("join", { room }), { joined: room });
}

for (const [version, io] of Object.entries(socketio.VERSIONS)) {
  test(`socket.io-client ${version} is two clients in two paths of one connection`, async (t) => {
    const left = socketio.opener(t, io)(`${gateway.http}/room/left-${version}`).watch("said", "bc");
    await left.connected();
    const other = left.socket.io.socket(`/room/right-${version}`);
    t.after(() => other.disconnect());
    const right = new socketio.SocketIoPeer(other).watch("said", "bc");
    await right.connected();
    assert.notEqual(left.socket.id, right.socket.id);
    assert.deepEqual(await right.ask("whoami"), { id: `right-${version}` });
    await join(left, "r");
    await join(right, "r");

    assert.equal(await left.ask("say", { room: "r", text: "nobody else is here" }), 0);
    assert.equal(await left.ask("here", "in one path"), 1);
    assert.deepEqual(await left.next("bc"), ["in one path"]);
    assert.equal(await right.ask("bcast", "in both"), 2);
    assert.deepEqual(await left.next("bc"), ["in both"]);
    assert.deepEqual(await right.next("bc"), ["in both"]);
    assert.equal(right.unread("bc") + right.unread("said") + left.unread("said"), 0);

    assert.deepEqual(await left.ask("paths"), [`/room/left-${version}`, `/room/right-${version}`]);
    right.socket.disconnect();
    // The packet that leaves the path stands before the question on the same connection.
    await until(async () => (await left.ask("paths")).length === 1);
  });
}

test("a WebSocket and socket.io-client share a path and its rooms, and no other", async (t) => {
  const open = socketio.opener(t, socketio.VERSIONS["4.8"]);
  const left = open(`${gateway.http}/room/plan`).watch("said", "bc");
  const outside = open(`${gateway.http}/room/outside`).watch("said", "bc");
  await Promise.all([left.connected(), outside.connected()]);
  const right = await native.opener(t)(`${gateway.ws}/room/plan`);
  await join(left, "r");
  await join(outside, "r");
  await right.ask("join", { room: "r" }, 1);

  assert.equal(await left.ask("say", { room: "r", text: "from the left" }), 1);
  assert.deepEqual(await right.next(), { event: "said", data: "from the left" });
  assert.equal((await right.ask("say", { room: "r", text: "from the right" }, 2)).data, 1);
  assert.deepEqual(await left.next("said"), ["from the right"]);
  assert.equal(await left.ask("here", "in one path"), 2);
  assert.deepEqual(await right.next(), { event: "bc", data: "in one path" });
  assert.equal(await outside.ask("here", "elsewhere"), 1);
  assert.deepEqual(await outside.next("bc"), ["elsewhere"]);
  assert.equal(outside.unread("said"), 0);
});

/** Asks again and again; an answer comes only after a round trip. */
async function until(holds) {
  for (let i = 0; i < 1000; i++) if (await holds()) return;
  assert.fail("it did not come to it in 1000 round trips");
}
