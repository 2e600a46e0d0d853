// Node socket.io with its defaults.
'use strict';
const { createServer } = require('node:http');
const { Server } = require('socket.io');

const port = Number(process.argv[process.argv.indexOf('--port') + 1] || 0);
const http = createServer();
const io = new Server(http);

io.on('connection', (socket) => {
  socket.on('echo', (data, ack) => ack(data));
  socket.on('join', ({ room }, ack) => {
    socket.join(room);
    ack({ joined: room });
  });
  socket.on('bcast', (data) => io.to('r').emit('msg', data));
  socket.on('stream', ({ n }) => {
    for (let i = 0; i < n; i++) socket.emit('token', { i, t: 'hello' });
  });
});
http.listen(port, '127.0.0.1', 1024, () => {
  console.log(`listening on http://127.0.0.1:${http.address().port}`);
});
