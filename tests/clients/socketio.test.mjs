// The official Socket.IO clients, unchanged, against the fixture servers.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import io2 from "socket.io-client-v2";
import { Program } from "../support/program.mjs";
import { POLLING, SocketIoPeer, VERSIONS, WEBSOCKET, opener } from "./socketio-peer.mjs";

let gateway;
let protocol;

before(async () => {
  gateway = await Program.start("fixture-gateway");
  protocol = await Program.start("fixture-sio", "--suite", "protocol", "--ping-timeout", "10000");
});

after(async () => {
  await gateway?.stop();
  await protocol?.stop();
});

for (const [version, io] of Object.entries(VERSIONS)) {
  describe(`socket.io-client ${version}`, () => {
    test("connects by polling and upgrades to a WebSocket", async (t) => {
      const peer = opener(t, io)(gateway.http);
      await peer.connected();
      await peer.upgraded();
      assert.deepEqual(await peer.ask("echo-ack", "after the upgrade"), "after the upgrade");
    });

    for (const [name, transport] of Object.entries({ polling: POLLING, websocket: WEBSOCKET })) {
      test(`connects by ${name} alone`, async (t) => {
        const peer = await opener(t, io)(gateway.http, transport).connected();
        assert.equal(await peer.ask("echo-ack", "hello"), "hello");
        assert.equal(peer.socket.io.engine.transport.name, name);
      });

      test(`sends binary both ways by ${name}`, async (t) => {
        const peer = opener(t, io)(gateway.http, transport).watch("resp");
        await peer.connected();
        const bytes = Buffer.from([0, 1, 2, 128, 254, 255]);
        assert.deepEqual(Buffer.from(await peer.ask("echo-ack", bytes)), bytes);
        peer.emit("ws", { name: "file", body: bytes });
        const [file] = await peer.next("resp");
        assert.equal(file.name, "file");
        assert.deepEqual(Buffer.from(file.body), bytes);
      });

      test(`keeps the order of many messages by ${name}`, async (t) => {
        const peer = opener(t, io)(gateway.http, transport).watch("resp");
        await peer.connected();
        const [sent, received, answered] = [[], [], []];
        // A body of the polling transport may carry 64 packets by default.
        for (let burst = 0; burst < 10; burst++) {
          const numbers = Array.from({ length: 30 }, (_, index) => 30 * burst + index);
          const answers = numbers.map(async (n) => answered.push(await peer.ask("echo-ack", n)));
          for (const number of numbers) peer.emit("ws", number);
          for (const _ of numbers) received.push((await peer.next("resp"))[0]);
          await Promise.all(answers);
          sent.push(...numbers);
        }
        assert.deepEqual(received, sent);
        assert.deepEqual(answered, sent);
      });
    }

    test("has an id that is not the id of the engine below", async (t) => {
      const peer = await opener(t, io)(gateway.http).connected();
      assert.equal(await peer.ask("whoami"), peer.socket.id);
      assert.notEqual(peer.socket.id, peer.socket.io.engine.id);
    });

    test("gets every kind of reply as an acknowledgement", async (t) => {
      const peer = await opener(t, io)(gateway.http, WEBSOCKET).connected();
      assert.deepEqual(await peer.call("ret_str"), ["hello"]);
      assert.deepEqual(await peer.call("ret_zero"), [0]);
      assert.deepEqual(await peer.call("ret_false"), [false]);
      assert.deepEqual(await peer.call("ret_empty"), [""]);
      assert.deepEqual(await peer.call("ret_obj"), [{ a: 1 }]);
      assert.deepEqual(await peer.call("ret_arr"), [[1, 2]]);
      assert.deepEqual(await peer.call("ret_unit"), []);
    });

    test("gets a plain reply only if it asked for an acknowledgement", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("ret_obj", "ret_unit", "resp");
      await peer.connected();
      peer.emit("ret_unit");
      peer.emit("ret_obj");
      peer.emit("ws", "elsewhere");
      assert.deepEqual(await peer.next("resp"), ["elsewhere"]);
      assert.deepEqual([peer.unread("ret_obj"), peer.unread("ret_unit")], [0, 0]);
    });

    test("gets a rerouted reply as its event and an empty acknowledgement", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("resp");
      await peer.connected();
      assert.deepEqual(await peer.call("ws", { n: 1 }), []);
      assert.deepEqual(await peer.next("resp"), [{ n: 1 }]);
    });

    test("answers a question of the server", async (t) => {
      const peer = await opener(t, io)(gateway.http, WEBSOCKET).connected();
      peer.socket.on("question", (question, answer) => answer({ answer: question }));
      assert.deepEqual(await peer.ask("ask", { q: 42 }), { answer: 42 });
    });

    test("a question that nobody answers times out", async (t) => {
      const peer = await opener(t, io)(gateway.http, WEBSOCKET).connected();
      assert.deepEqual(await peer.ask("ask", { q: 1 }), { timeout: true });
    });

    test("gets the items of a stream as events and the acknowledgement at its end", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("stream_plain", "tok");
      await peer.connected();
      assert.deepEqual(await peer.call("stream_plain"), []);
      assert.equal(peer.unread("stream_plain"), 3);
      assert.deepEqual(await peer.next("stream_plain"), [1]);
      assert.deepEqual(await peer.call("stream"), []);
      assert.equal(peer.unread("tok"), 3);
    });

    test("cancels a stream by the name of its event", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("tick");
      await peer.connected();
      peer.emit("stream_inf");
      await peer.next("tick");
      await gateway.log();
      peer.emit("$cancel", "stream_inf");
      await gateway.logged("stream dropped");
      assert.equal(await peer.ask("echo-ack", "still here"), "still here");
    });

    test("is told what went wrong, by the acknowledgement or as an exception", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("exception");
      await peer.connected();
      const nope = { status: "error", message: "nope", cause: { pattern: "t_ws" } };
      assert.deepEqual(await peer.ask("t_ws"), nope);
      peer.emit("t_ws");
      assert.deepEqual(await peer.next("exception"), [nope]);
      assert.equal((await peer.ask("g_deny")).message, "Forbidden resource");
      assert.equal((await peer.ask("dto", { name: "", n: "x" })).code, "bad_request");
    });

    test("hears no secret of an internal error or a panic, and stays connected", async (t) => {
      const peer = await opener(t, io)(gateway.http, WEBSOCKET).connected();
      for (const event of ["t_err", "panic"]) {
        const error = await peer.ask(event);
        assert.equal(error.message, "Internal server error");
        assert.doesNotMatch(JSON.stringify(error), /secret/);
      }
      assert.equal(await peer.ask("echo-ack", 1), 1);
    });

    test("an unknown event is answered with its name", async (t) => {
      const peer = opener(t, io)(gateway.http, WEBSOCKET).watch("exception");
      await peer.connected();
      peer.emit("no_such_event", 1);
      const [error] = await peer.next("exception");
      assert.equal(error.status, "error");
      assert.match(error.message, /no_such_event/);
      assert.equal(error.cause.pattern, "no_such_event");
    });

    test("namespaces are apart", async (t) => {
      const open = opener(t, io);
      const main = open(gateway.http, WEBSOCKET).watch("bc");
      const second = open(`${gateway.http}/second`, WEBSOCKET).watch("bc");
      await main.connected();
      await second.connected();
      assert.notEqual(await second.ask("whoami"), await main.ask("whoami"));
      second.emit("bcast", "for the second only");
      assert.deepEqual(await second.next("bc"), ["for the second only"]);
      assert.equal(await main.ask("echo-ack", "after"), "after");
      assert.equal(main.unread("bc"), 0);
    });

    test("two namespaces share one connection", async (t) => {
      const { Manager } = io;
      const manager = new Manager(gateway.http, { ...WEBSOCKET, reconnection: false });
      const main = manager.socket("/");
      const second = manager.socket("/second");
      t.after(() => [main, second].forEach((socket) => socket.disconnect()));
      const ask = (socket) => new Promise((resolve) => socket.emit("whoami", resolve));
      const [one, two] = await Promise.all([ask(main), ask(second)]);
      assert.deepEqual([one, two], [main.id, second.id]);
      assert.equal(main.io.engine, second.io.engine);
    });

    test("a namespace that does not exist refuses", async (t) => {
      const error = await opener(t, io)(`${gateway.http}/nowhere`, WEBSOCKET).refused();
      assert.equal(error.message, "Invalid namespace");
    });

    test("a connection guard lets in whom it knows", async (t) => {
      const open = opener(t, io);
      const error = await open(`${gateway.http}/guarded`, WEBSOCKET).refused();
      assert.ok(error.message.length > 0);
      assert.equal(error.data.code, "unauthorized");
      const auth = { token: "good" };
      const known = await open(`${gateway.http}/guarded`, { ...WEBSOCKET, auth }).connected();
      assert.ok(await known.ask("whoami"));
    });

    test("what the connection hook emits arrives first", async (t) => {
      const peer = opener(t, io)(`${gateway.http}/hello`, WEBSOCKET).watch("hello");
      // Sent while the connection hook may still run.
      assert.equal(await peer.ask("echo", 1), 1);
      assert.equal(peer.unread("hello"), 1);
      assert.deepEqual(await peer.next("hello"), [peer.socket.id]);
    });

    test("a message to a room spares its sender", async (t) => {
      const open = opener(t, io);
      const one = open(gateway.http, WEBSOCKET).watch("said");
      const two = open(gateway.http).watch("said");
      await Promise.all([one.connected(), two.connected()]);
      const room = `room-${version}`;
      assert.deepEqual(await one.ask("join", { room }), { joined: room });
      assert.deepEqual(await two.ask("join", { room }), { joined: room });
      assert.equal(await one.ask("say", { room, text: "hi" }), 1);
      assert.deepEqual(await two.next("said"), [{ from: one.socket.id, text: "hi" }]);
      assert.deepEqual(await one.ask("leave", { room }), { left: room });
      assert.equal(await two.ask("say", { room, text: "anybody?" }), 0);
      assert.equal(one.unread("said"), 0);
    });

    test("a client that leaves is seen leaving", async (t) => {
      const peer = await opener(t, io)(gateway.http).connected();
      const { id } = peer.socket;
      peer.socket.disconnect();
      const line = await gateway.logged(`disconnect ${id}`);
      assert.match(line, /client namespace disconnect/);
    });

    test("a client that is thrown out knows by whom", async (t) => {
      const peer = await opener(t, io)(gateway.http, WEBSOCKET).connected();
      const gone = peer.disconnected();
      peer.emit("kick");
      assert.equal(await gone, "io server disconnect");
    });

    for (const [name, transport] of Object.entries({ polling: POLLING, websocket: WEBSOCKET })) {
      test(`a connection that the server closes takes its other namespaces along, by ${name}`, async (t) => {
        const peer = await opener(t, io)(gateway.http, transport).connected();
        const { id } = peer.socket;
        const second = new SocketIoPeer(peer.socket.io.socket("/second"));
        await second.connected();
        const gone = [peer.disconnected(), second.disconnected()];
        const closed = new Promise((resolve) => peer.socket.io.once("close", resolve));
        peer.emit("close");
        assert.deepEqual(await Promise.all(gone), ["io server disconnect", "io server disconnect"]);
        await closed;
        const line = await gateway.logged(`disconnect ${id}`);
        assert.match(line, /server namespace disconnect/);
      });
    }

    test("a broken connection comes back under a new id", async (t) => {
      const peer = opener(t, io)(gateway.http, { ...WEBSOCKET, reconnection: true, reconnectionDelay: 10 });
      await peer.connected();
      const { id } = peer.socket;
      const gone = peer.disconnected();
      peer.socket.io.engine.close();
      await gone;
      await peer.connected();
      assert.notEqual(peer.socket.id, id);
      assert.equal(await peer.ask("echo-ack", "back"), "back");
    });

    test("the protocol server echoes arguments, acknowledgements and binaries", async (t) => {
      const auth = { token: "abc" };
      const peer = opener(t, io)(protocol.http, { auth }).watch("auth", "message-back", "emit-with-ack");
      await peer.connected();
      assert.deepEqual(await peer.next("auth"), [auth]);
      const args = [1, "2", { 3: [true] }, Buffer.from([4, 5])];
      peer.emit("message", ...args);
      assert.deepEqual(await peer.next("message-back"), args);
      assert.deepEqual(await peer.call("message-with-ack", ...args), args);
    });

    test("the heartbeat keeps an idle connection alive", async (t) => {
      const peer = await opener(t, io)(protocol.http, WEBSOCKET).connected();
      await peer.pings(3);
      assert.ok(peer.socket.connected);
    });
  });
}

describe("socket.io-client 2.5", () => {
  for (const [name, transport] of Object.entries({ polling: POLLING, websocket: WEBSOCKET })) {
    test(`is refused at once by ${name}, since it speaks Engine.IO 3`, async (t) => {
      const socket = io2(gateway.http, { forceNew: true, reconnection: false, ...transport });
      t.after(() => socket.close());
      const outcome = await new Promise((resolve) => {
        socket.on("connect", () => resolve("connected"));
        socket.on("connect_error", () => resolve("refused"));
        socket.on("disconnect", () => resolve("refused"));
        socket.on("connect_timeout", () => resolve("waited in vain"));
      });
      assert.equal(outcome, "refused");
    });
  }
});
