// The wire below the envelope: a raw echo server and the `ws` client.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { Program } from "../support/program.mjs";
import { opener } from "./native-peer.mjs";

let echo;

before(async () => {
  echo = await Program.start("fixture-echo");
});

after(() => echo?.stop());

test("the wire echoes text, binary and large messages unchanged", async (t) => {
  const peer = await opener(t)(`${echo.ws}/`);
  const messages = ["", "hello ✓", Buffer.alloc(0), Buffer.from([0, 255]), "x".repeat(200_000), Buffer.alloc(900_000, 7)];
  for (const message of messages) {
    peer.socket.send(message);
    const [data, isBinary] = await once(peer.socket, "message");
    assert.equal(isBinary, Buffer.isBuffer(message));
    assert.ok(data.equals(Buffer.from(message)));
  }
});

test("the wire answers a ping and refuses a message that is too big", async (t) => {
  const peer = await opener(t)(`${echo.ws}/`);
  peer.socket.ping("are you there");
  const [payload] = await once(peer.socket, "pong");
  assert.equal(payload.toString(), "are you there");
  peer.socket.send(Buffer.alloc(1_000_001));
  assert.equal((await peer.closed).code, 1009);
});
