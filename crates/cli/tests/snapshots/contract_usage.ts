// What users of `contract.ts` write. It has to compile with `tsc --strict` and the types of
// socket.io-client; each line below an `@ts-expect-error` must not.

import { io, type Socket } from "socket.io-client";
import { connectChat, GatewayError, type ChatClientToServerEvents, type ChatServerToClientEvents, type Exception, type MessageSent, type Token } from "./contract.js";

export async function native(): Promise<void> {
  const chat = await connectChat("ws://localhost:3000/chat");
  chat.on("message", (message) => console.log(message.text, message.by?.name));
  chat.on("closed", () => {});
  try {
    const sent: MessageSent = await chat.request("send_message", { text: "hi", mood: "good" });
    console.log(sent.receivers);
  } catch (error) {
    if (error instanceof GatewayError) console.log(error.exception.code);
  }
  for await (const token of chat.stream("prompt", {})) { const t: Token = token; console.log(t.text); break; }
  const h = await chat.request("history", 3);
  const [n, s]: [number, string] = h[0]!;
  console.log(n.toFixed(), s.length);
  await chat.request("leave-room"); await chat.request("history");
  chat.emit("send_message", { text: "hi", mood: "bad", to: null });
  // @ts-expect-error no such event
  chat.emit("nope");
  // @ts-expect-error wrong mood
  chat.emit("send_message", { text: "hi", mood: "ugly" });
  // @ts-expect-error a stream is no request
  await chat.request("prompt", {});
  // @ts-expect-error data is missing
  await chat.request("send_message");
}

export async function socketio(): Promise<void> {
  const socket: Socket<ChatServerToClientEvents, ChatClientToServerEvents> = io("http://localhost:3000/chat");
  socket.on("message", (message) => console.log(message.text));
  socket.on("prompt", (token) => console.log(token.text));
  socket.on("exception", (e) => console.log(e.message));
  const reply = await socket.emitWithAck("send_message", { text: "hi", mood: "good" });
  const typed: MessageSent | Exception = reply;
  console.log(typed);
  socket.emit("prompt", {});
  socket.emit("leave-room");
  // @ts-expect-error wrong type
  socket.emit("send_message", { text: 1 }, () => {});
}
