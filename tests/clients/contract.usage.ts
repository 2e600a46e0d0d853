// A program of a user of the generated types: it has to compile, and each line
// below `@ts-expect-error` must not.

import { io, type Socket } from "socket.io-client";
import {
  GatewayClient,
  type ChatClientToServerEvents,
  type ChatPushes,
  type ChatRequests,
  type ChatServerToClientEvents,
  type Exception,
  type MessageSent,
} from "./contract";

const socket: Socket<ChatServerToClientEvents, ChatClientToServerEvents> = io("/chat");

socket.on("message", (message) => {
  const text: string = message.text;
  // @ts-expect-error: the text of a message is a string
  const number: number = message.text;
  console.log(text, number);
});
socket.emit("send_message", { text: "hello", mood: "good" }, (reply: MessageSent | Exception) => {
  if ("receivers" in reply) console.log(reply.receivers);
  else console.log(reply.message);
});
// @ts-expect-error: there is no such mood
socket.emit("send_message", { text: "hello", mood: "so so" }, () => {});
// @ts-expect-error: there is no such event
socket.emit("sned_message", { text: "hello", mood: "good" }, () => {});

async function main() {
  const chat = await GatewayClient.connect<ChatRequests, ChatPushes>("ws://localhost/chat");
  chat.on("message", (message) => console.log(message.text));
  const sent = await chat.request("send_message", { text: "hello", mood: "bad" });
  const receivers: number = sent.receivers;
  // @ts-expect-error: a body is needed
  await chat.request("send_message");
  // @ts-expect-error: a stream is not a single reply
  await chat.request("prompt", {});
  for await (const token of chat.stream("prompt", { text: "why?" })) console.log(token.text, receivers);
}

void main();
