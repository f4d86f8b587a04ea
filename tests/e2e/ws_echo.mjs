// SPDX-License-Identifier: MIT
//
// ws_echo: a command backend that says back what it hears on a WebSocket.
// The listening socket is descriptor 3 (LISTEN_FDS).

import http from 'node:http';
import { WebSocketServer } from 'ws';

const server = http.createServer((req, res) => res.end('plain\n'));
const sockets = new WebSocketServer({ server });
sockets.on('connection', (ws) => {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
});
process.on('SIGTERM', () => process.exit(0));
server.listen({ fd: 3 });
