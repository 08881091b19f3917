import { Adapter } from "socket.io-adapter";

/**
 * Nobody is in a room. Socket.IO's own adapter has every socket in a room of its own, which is two sets and two entries for each
 * connection; the fast fan-out never sends through rooms.
 */
export class RoomlessAdapter extends Adapter {
  override addAll(): void {}

  override del(): void {}

  override delAll(): void {}
}
