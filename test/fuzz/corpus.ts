/** What honest clients send, which the fuzzer changes. `SECRET` stands for a key, `SID` for a session. */
export const PACKETS: readonly [string, ...string[]] = [
  '40{"apiKey":"SECRET"}',
  "40",
  '40/other,{"apiKey":"SECRET"}',
  '420["join",{"channel":"a:b","echo":true,"since":{"epoch":"x","offset":3}}]',
  '421["leave",{"channel":"a:b"}]',
  '422["message",{"channel":"a:b","eventName":"say","message":{"text":"hi","n":[1,2,{"a":null}]},"id":"1"}]',
  '42["message",{"eventName":"say","message":"all"}]',
  '423["update",{"data":{"name":"x"},"echo":false}]',
  '424["members",{"channel":"a:b","limit":10,"after":"1-2"}]',
  '425["history",{"channel":"a:b","limit":10,"after":{"epoch":"x","offset":0}}]',
  '426["authenticate",{"token":"x"}]',
  '427["append",{"channel":"a:b","id":"1","data":"x"}]',
  '451-8["message",{"channel":"a:b","eventName":"say","message":{"_placeholder":true,"num":0}}]',
  '452-9["update",{"data":{"a":{"_placeholder":true,"num":0},"b":{"_placeholder":true,"num":1}}}]',
  '430["ack"]',
  '44{"message":"x"}',
  "41",
  "2",
  "3",
  "1",
  "6",
  "bAQIDBA==",
];

export const REQUESTS: readonly [string, ...string[]] = [
  "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /api/ping?a=1&apikey=SECRET HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3000\r\n\r\n",
  "HEAD /api/ping HTTP/1.1\r\nHost: x\r\nX-API-Key: SECRET\r\n\r\n",
  "OPTIONS /api/ping HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: x\r\n\r\n",
  'POST /channels/publish HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\r\nContent-Type: application/json\r\nContent-Length: 47\r\n\r\n{"channel":"a:b","eventName":"e","message":[1]}',
  'POST /channels/publish/batch HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n3c\r\n{"messages":[{"channel":"a","eventName":"e","message":null}]}\r\n0\r\n\r\n',
  'POST /channels/broadcast HTTP/1.1\r\nHost: x\r\nAuthorization: SECRET\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 29\r\n\r\n{"eventName":"e","message":1}',
  "GET /channels?prefix=a&apikey=SECRET HTTP/1.1\r\nHost: x\r\n\r\n",
  "GET /channels/members?channel=a:b&limit=5&after=1-2 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\r\n\r\n",
  "GET /channels/history?channel=a:b&epoch=x&after=0&limit=5 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer SECRET\r\n\r\n",
  'POST /dev/agnost/realtime/get-members HTTP/1.1\r\nHost: x\r\nAuthorization: SECRET\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"channel":"a:b"}',
  "GET /realtime/?EIO=4&transport=polling HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\n\r\n",
  "POST /realtime/?EIO=4&transport=polling&sid=SID HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n40",
  "GET /realtime/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  "GET /api/ping HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "GET http://x/api/ping HTTP/1.1\r\nHost: x\r\n\r\n",
  'GET /sdk/sluice.js HTTP/1.1\r\nHost: x\r\nRange: bytes=0-9\r\nAccept-Encoding: gzip\r\nIf-None-Match: "a"\r\n\r\n',
];

export const ADMIN_REQUESTS: readonly [string, ...string[]] = [
  "GET /console/ HTTP/1.1\r\nHost: HOST\r\n\r\n",
  "GET /admin/v1/keys?limit=5&after=x HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
  'POST /admin/v1/keys HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{"name":"fuzz","expiresAt":""}',
  'POST /admin/v1/explain HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\nContent-Type: application/json\r\nContent-Length: 74\r\n\r\n{"settings":{"name":"aa"},"request":{"action":"connect","ip":"127.0.0.1"}}',
  'POST /admin/v1/session HTTP/1.1\r\nHost: HOST\r\nOrigin: http://HOST\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"token":"ADMI"}',
  "GET /admin/v1/audit?limit=5&before=x HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
  "GET /admin/v1/channels?prefix=a&limit=3 HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
  "GET /admin/v1/connections?address=10.0.0.0/8 HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
  "DELETE /admin/v1/keys/key_x HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
  'PATCH /admin/v1/keys/key_x HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\nIf-Match: "1"\r\nContent-Type: application/merge-patch+json\r\nContent-Length: 15\r\n\r\n{"name":"other"}',
  "GET /metrics HTTP/1.1\r\nHost: HOST\r\nAuthorization: Bearer ADMIN\r\n\r\n",
];

/** WebSocket frames of a client (RFC 6455, 5.2): masked with zeros, so that a mutation of a byte is one of the payload. */
export function frame(opcode: number, payload: Buffer): Buffer {
  const head =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length])
      : Buffer.from([0x80 | opcode, 0x80 | 126, payload.length >> 8, payload.length & 0xff]);
  return Buffer.concat([head, Buffer.alloc(4), payload]);
}
