// Node ws: the room is a set of sockets, a message is stringified once.
'use strict';
const { WebSocketServer } = require('ws');

const port = Number(process.argv[process.argv.indexOf('--port') + 1] || 0);
const server = new WebSocketServer({ host: '127.0.0.1', port, backlog: 1024 });
const rooms = new Map();
const text = (event, data) => JSON.stringify({ event, data });

server.on('connection', (socket) => {
  const joined = [];
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    for (const room of joined) rooms.get(room)?.delete(socket);
  });
  socket.on('message', (bytes) => {
    const { event, data } = JSON.parse(bytes);
    if (event === 'echo') {
      socket.send(text('echo', data));
    } else if (event === 'join') {
      if (!rooms.has(data.room)) rooms.set(data.room, new Set());
      rooms.get(data.room).add(socket);
      joined.push(data.room);
      socket.send(text('join', { joined: data.room }));
    } else if (event === 'bcast') {
      const message = text('msg', data);
      for (const member of rooms.get('r') ?? []) member.send(message);
    } else if (event === 'stream') {
      for (let i = 0; i < data.n; i++) socket.send(text('token', { i, t: 'hello' }));
    }
  });
});
server.on('listening', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
