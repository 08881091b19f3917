/**
 * uWebSockets.js and its own publish, in a process of its own. Argument: its module. A member sends the names of its
 * topics, a publisher `topic|message`. Prints where it listens.
 */
import { createRequire } from "node:module";

const [path] = process.argv.slice(2);
const { App, us_socket_local_port } = createRequire(import.meta.url)(path);

const app = App();
app.ws("/member", {
  idleTimeout: 0,
  maxBackpressure: 64 * 1024 * 1024,
  open: (socket) => socket.send("ready"),
  message: (socket, topic) => {
    socket.subscribe(Buffer.from(topic).toString());
    socket.send("joined");
  },
});
app.ws("/publisher", {
  idleTimeout: 0,
  open: (socket) => socket.send("ready"),
  message: (_socket, message) => {
    const text = Buffer.from(message).toString();
    const mark = text.indexOf("|");
    app.publish(text.slice(0, mark), text.slice(mark + 1));
  },
});
app.listen("127.0.0.1", 0, (listener) => {
  console.log(JSON.stringify({ port: us_socket_local_port(listener) }));
});
