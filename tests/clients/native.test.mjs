// A plain WebSocket client (`ws`) and the native envelope.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Program } from "../support/program.mjs";
import { opener, refusal } from "./native-peer.mjs";

let gateway;

before(async () => {
  gateway = await Program.start("fixture-gateway");
});

after(() => gateway?.stop());

test("a request with an id gets its reply with that id", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  assert.deepEqual(await peer.ask("echo", { a: [1] }, 7), { event: "echo", data: { a: [1] }, id: 7 });
  assert.deepEqual(await peer.ask("echo", "x", "seven"), { event: "echo", data: "x", id: "seven" });
  assert.deepEqual(await peer.ask("echo", "x"), { event: "echo", data: "x" });
});

test("a handler that returns nothing answers only a request with an id", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  peer.send({ event: "ret_unit" });
  assert.deepEqual(await peer.ask("ret_unit", undefined, 1), { event: "ret_unit", id: 1 });
});

test("falsy replies are replies", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  assert.deepEqual(await peer.ask("ret_zero"), { event: "ret_zero", data: 0 });
  assert.deepEqual(await peer.ask("ret_false"), { event: "ret_false", data: false });
  assert.deepEqual(await peer.ask("ret_empty"), { event: "ret_empty", data: "" });
});

test("a rerouted reply has its own event and the id of the request", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  assert.deepEqual(await peer.ask("ws", 5, 9), { event: "resp", data: 5, id: 9 });
});

test("a stream ends with a frame that says so", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  peer.send({ event: "stream_plain", id: 3 });
  for (const data of [1, 2, 3]) {
    assert.deepEqual(await peer.next(), { event: "stream_plain", data, id: 3 });
  }
  assert.deepEqual(await peer.next(), { event: "stream_plain", id: 3, done: true });
});

test("a stream is cancelled by the id of its request", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  await peer.ask("stream_inf", undefined, "s1");
  peer.send({ cancel: "s1" });
  await gateway.logged("stream dropped");
  peer.send({ cancel: "never ran" });
  peer.send({ event: "ret_str", id: "last" });
  let frame = await peer.next();
  while (frame.id !== "last") frame = await peer.next();
  assert.equal(frame.data, "hello");
});

test("a stream is dropped when its client leaves", async (t) => {
  const leaver = await Program.start("fixture-gateway");
  t.after(() => leaver.stop());
  const peer = await opener(t)(`${leaver.ws}/`);
  await peer.ask("stream_inf", undefined, 1);
  peer.socket.close();
  await leaver.logged("stream dropped");
});

test("the server asks and the client answers", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  const question = await peer.ask("ask", { q: "why?" }, 1);
  assert.equal(question.event, "question");
  assert.equal(question.data, "why?");
  assert.match(question.id, /^s/);
  peer.send({ ack: question.id, data: { because: true } });
  assert.deepEqual(await peer.next(), { event: "ask", data: { because: true }, id: 1 });
});

test("garbage gets an exception and the client stays", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  for (const garbage of ["", "hello", "[1,2]", '{"event":7}', '{"data":1}', '{"event":"echo"']) {
    peer.send(garbage);
    const frame = await peer.next();
    assert.equal(frame.event, "exception");
    assert.equal(frame.data.status, "error");
  }
  assert.deepEqual(await peer.ask("echo", 1, 1), { event: "echo", data: 1, id: 1 });
});

test("an unknown event is answered with its name and the id", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  const frame = await peer.ask("no_such_event", 1, 4);
  assert.equal(frame.event, "exception");
  assert.equal(frame.id, 4);
  assert.match(frame.data.message, /no_such_event/);
});

test("a wrong body is refused with the path of its field", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  const frame = await peer.ask("dto", { name: "ok", n: "seven" }, 1);
  assert.equal(frame.data.code, "bad_request");
  assert.match(JSON.stringify(frame.data.details), /\bn\b/);
});

test("a panic costs its message and nobody notices", async (t) => {
  const open = opener(t);
  const [one, two] = [await open(`${gateway.ws}/`), await open(`${gateway.ws}/`)];
  const frame = await one.ask("panic", undefined, 1);
  assert.equal(frame.data.message, "Internal server error");
  assert.deepEqual(await one.ask("echo", 1, 2), { event: "echo", data: 1, id: 2 });
  assert.deepEqual(await two.ask("echo", 1, 2), { event: "echo", data: 1, id: 2 });
  assert.equal(two.unread, 0);
});

test("a binary frame with an envelope is a message, another goes to the binary handler", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  peer.send(Buffer.from('{"event":"echo","data":1,"id":1}'));
  assert.deepEqual(await peer.next(), { event: "echo", data: 1, id: 1 });
  peer.send(Buffer.from([0, 255, 1, 254]));
  assert.deepEqual(await peer.next(), { event: "bin_len", data: 4 });
});

test("many messages are answered in the order sent", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  const sent = Array.from({ length: 500 }, (_, id) => id);
  for (const id of sent) peer.send({ event: "echo", data: id, id });
  for (const id of sent) assert.equal((await peer.next()).id, id);
});

test("the path is the namespace, and its parameters reach the handler", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/room/42`);
  assert.deepEqual(await peer.ask("whoami", undefined, 1), { event: "whoami", data: { id: "42" }, id: 1 });
});

test("what is no WebSocket of ours is refused by HTTP", async () => {
  assert.equal((await refusal(`${gateway.ws}/nowhere`)).status, 404);
  assert.equal((await refusal(`${gateway.ws}/`, { protocolVersion: 8 })).status, 426);
  const plain = await fetch(`${gateway.http}/second`);
  assert.equal(plain.status, 426);
  assert.ok((await plain.text()).length > 0);
});

test("a foreign origin is refused", async () => {
  assert.equal((await refusal(`${gateway.ws}/`, { origin: "https://elsewhere.example" })).status, 403);
});

test("a connection guard refuses by HTTP status", async (t) => {
  assert.match(String((await refusal(`${gateway.ws}/guarded`)).status), /^40[13]$/);
  const open = opener(t);
  const headers = { authorization: "Bearer good" };
  for (const peer of [
    await open(`${gateway.ws}/guarded`, { headers }),
    await open(`${gateway.ws}/guarded?token=good`),
  ]) {
    const { data } = await peer.ask("whoami", undefined, 1);
    assert.ok(data);
  }
});

test("a client that leaves is logged with its code and text", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  const { data: id } = await peer.ask("whoami", undefined, 1);
  await peer.ask("join", { room: "b" }, 2);
  await peer.ask("join", { room: "a" }, 3);
  peer.socket.close(4001, "bye");
  assert.equal(await gateway.logged(`disconnect ${id}`), `disconnect ${id} 4001 bye rooms=a,b`);
});

test("a client that is thrown out is told why", async (t) => {
  const peer = await opener(t)(`${gateway.ws}/`);
  peer.send({ event: "kick" });
  const { reason } = await peer.closed;
  assert.equal(reason, "kicked");
});

test("a shutdown says goodbye to everybody and ends with code 0", async (t) => {
  const server = await Program.start("fixture-gateway");
  const peer = await opener(t)(`${server.ws}/`);
  await peer.ask("echo", 1, 1);
  const code = await server.stop();
  assert.equal((await peer.closed).code, 1001);
  assert.equal(code, 0);
});
