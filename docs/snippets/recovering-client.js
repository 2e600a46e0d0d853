// ANCHOR: client
// A WebSocket that goes on where it was after a loss.
function connect(url, onEvent, onFresh = () => {}) {
  let session, offset, socket;
  function open() {
    const target = new URL(url);
    if (session) target.search = new URLSearchParams({ session, offset });
    socket = new WebSocket(target);
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (frame.offset !== undefined) offset = frame.offset;
      if (frame.event === "$session") {
        session = frame.data.session;
        if (!frame.data.recovered) onFresh(frame.data.reason);
      } else onEvent(frame);
    };
    socket.onclose = ({ code }) => {
      if (code === 1006 || code === 1001 || code === 1008) setTimeout(open, 500);
    };
  }
  open();
  return { send: (event, data) => socket.send(JSON.stringify({ event, data })) };
}
// ANCHOR_END: client
