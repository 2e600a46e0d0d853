// Both kinds of clients in one room of one gateway.

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

for (const [version, io] of Object.entries(socketio.VERSIONS)) {
  test(`a WebSocket and socket.io-client ${version} share a room`, async (t) => {
    const left = socketio.opener(t, io)(gateway.http).watch("said");
    await left.connected();
    const right = await native.opener(t)(`${gateway.ws}/`);
    const room = `together-${version}`;
    await left.ask("join", { room });
    await right.ask("join", { room }, 1);

    assert.equal(await left.ask("say", { room, text: "from the left" }), 1);
    const heard = { from: left.socket.id, text: "from the left" };
    assert.deepEqual(await right.next(), { event: "said", data: heard });

    const { data: id } = await right.ask("whoami", undefined, 2);
    assert.equal((await right.ask("say", { room, text: "from the right" }, 3)).data, 1);
    assert.deepEqual(await left.next("said"), [{ from: id, text: "from the right" }]);
  });
}

test("a message to one client finds it on either wire", async (t) => {
  const left = socketio.opener(t, socketio.VERSIONS["4.8"])(gateway.http).watch("dm");
  await left.connected();
  const right = await native.opener(t)(`${gateway.ws}/`);
  await right.ask("dm", { to: left.socket.id, text: "psst" }, 1);
  assert.match(JSON.stringify(await left.next("dm")), /"psst"/);
});

test("an HTTP route emits to both kinds of clients", async (t) => {
  const left = socketio.opener(t, socketio.VERSIONS["4.8"])(gateway.http).watch("news");
  await left.connected();
  const right = await native.opener(t)(`${gateway.ws}/`);
  await left.ask("join", { room: "readers" });
  await right.ask("join", { room: "readers" }, 1);
  const response = await fetch(`${gateway.http}/emit?room=readers&event=news`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ title: "one port" }),
  });
  assert.ok(response.ok);
  assert.deepEqual(await left.next("news"), [{ title: "one port" }]);
  assert.deepEqual(await right.next(), { event: "news", data: { title: "one port" } });
});
