/** Bounds on the wire. They are part of the protocol: a client may rely on them. */
export const LIMITS = {
  /** One Socket.IO packet or HTTP body, in bytes. */
  maxPayloadBytes: 1024 * 1024,
  /** The same before CONNECT was accepted: a key, a resume token and a user's token fit. */
  maxPendingPayloadBytes: 16 * 1024,
  /** What socket.io-parser takes; whoever is sent more is disconnected by its own parser. */
  attachmentsPerPacket: 10,
  channelNameMaxChars: 200,
  eventNameMaxChars: 128,
  messageIdMaxChars: 128,
  apiKeyMaxChars: 512,
  historyPageMax: 1000,
  historyPageDefault: 100,
  channelsPerConnection: 1000,
  membersPageMax: 1000,
  membersPageDefault: 100,
} as const;
