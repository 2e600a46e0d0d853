// What an application may choose for its Socket.IO clients, seen by the official ones.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import parser from "socket.io-msgpack-parser";
import { Program } from "../support/program.mjs";
import { POLLING, VERSIONS, WEBSOCKET, opener } from "./socketio-peer.mjs";

const TRANSPORTS = Object.entries({ polling: POLLING, websocket: WEBSOCKET });
const FRIEND = "https://friend.example";

let chosen; // another path, and a cookie
let packed; // msgpack
let choosy; // one other origin, and no patience with unknown events

before(async () => {
  chosen = await Program.start("fixture-sio", "--path", "/realtime/", "--cookie", "io");
  packed = await Program.start("fixture-sio", "--msgpack");
  choosy = await Program.start("fixture-gateway", "--origin", FRIEND, "--unknown-policy", "close");
});

after(async () => {
  for (const server of [chosen, packed, choosy]) await server?.stop();
});

for (const [version, io] of Object.entries(VERSIONS)) {
  describe(`socket.io-client ${version}`, () => {
    for (const [name, transport] of TRANSPORTS) {
      test(`is served at the path of the application's choice, by ${name}`, async (t) => {
        const open = opener(t, io);
        const peer = await open(chosen.http, { ...transport, path: "/realtime" }).connected();
        assert.deepEqual(await peer.call("message-with-ack", 1, "two"), [1, "two"]);
        await open(chosen.http, transport).refused();
      });

      test(`speaks msgpack by ${name}`, async (t) => {
        const auth = { token: "abc" };
        const peer = opener(t, io)(packed.http, { ...transport, parser, auth });
        await peer.watch("auth", "message-back").connected();
        assert.deepEqual(await peer.next("auth"), [auth]);
        const args = [1, "zwei", { 3: [true, null, Buffer.from([4, 5])] }];
        peer.emit("message", ...args);
        assert.deepEqual(await peer.next("message-back"), args);
        assert.deepEqual(await peer.call("message-with-ack", ...args), args);
      });

      test(`may come from another origin only if the application says so, by ${name}`, async (t) => {
        const open = opener(t, io);
        const from = (origin) => ({ ...transport, extraHeaders: { origin } });
        await open(choosy.http, from("https://stranger.example")).refused();
        const friend = await open(choosy.http, from(FRIEND)).connected();
        assert.equal(await friend.ask("echo-ack", "hello"), "hello");
      });

      test(`hears what was said before the server closed, by ${name}`, async (t) => {
        const peer = opener(t, io)(choosy.http, transport).watch("exception");
        await peer.connected();
        const gone = peer.disconnected();
        peer.emit("nobody-knows-this");
        const [exception] = await peer.next("exception");
        assert.equal(exception.code, "unknown_event");
        assert.equal(await gone, "io server disconnect");
      });
    }

    test("with another parser than the application's is sent away", async (t) => {
      const open = opener(t, io);
      const json = open(packed.http, WEBSOCKET);
      assert.notEqual(await closed(json), undefined);
      const msgpack = open(choosy.http, { ...WEBSOCKET, parser });
      assert.notEqual(await closed(msgpack), undefined);
    });
  });
}

test("the cookie for sticky sessions is the id of the session", async (t) => {
  const options = { ...POLLING, path: "/realtime", withCredentials: true };
  const peer = await opener(t, VERSIONS["4.8"])(chosen.http, options).connected();
  const { engine } = peer.socket.io;
  // The jar in which the client keeps what it sends back with every request.
  const cookies = [...engine._cookieJar.cookies];
  assert.deepEqual(
    cookies.map(([name, { value }]) => [name, value]),
    [["io", engine.id]],
  );
  assert.deepEqual(await peer.call("message-with-ack", "still"), ["still"]);
});

test("no cookie is set and no origin allowed unless the application says so", async () => {
  const query = "?EIO=4&transport=polling";
  const opened = await fetch(`${packed.http}/socket.io/${query}`);
  assert.equal(opened.headers.get("set-cookie"), null);
  const headers = { origin: "https://stranger.example" };
  const foreign = await fetch(`${packed.http}/socket.io/${query}`, { headers });
  assert.equal(foreign.status, 403);
  assert.equal(foreign.headers.get("access-control-allow-origin"), null);
});

test("a browser that can do JSONP alone is told that it is not offered", async () => {
  const answer = await fetch(`${choosy.http}/socket.io/?EIO=4&transport=polling&j=0`);
  assert.equal(answer.status, 400);
  assert.deepEqual(await answer.json(), { code: 3, message: "JSONP polling is not offered" });
});

/** Why the connection below a socket that never connects is closed. */
function closed(peer) {
  return new Promise((resolve, reject) => {
    peer.socket.io.once("close", resolve);
    peer.socket.once("connect", () => reject(new Error("connected")));
  });
}
