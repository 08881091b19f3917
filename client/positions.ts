type Position = { readonly epoch: string; readonly offset: number };

/** Up to where channels were heard: as many as are followed, from `follow` to `forget`. */
export class Positions {
  readonly #byChannel = new Map<string, Position | undefined>();

  follow(channel: string): void {
    if (!this.#byChannel.has(channel)) this.#byChannel.set(channel, undefined);
  }

  forget(channel: string): void {
    this.#byChannel.delete(channel);
  }

  /** In another life of the channel the offsets begin anew; in the same one they never go back. */
  reach(channel: string, epoch: string, offset: number): void {
    const known = this.#byChannel.get(channel);
    if (!this.#byChannel.has(channel) || epoch === "") return;
    if (known?.epoch === epoch && known.offset >= offset) return;
    this.#byChannel.set(channel, { epoch, offset });
  }

  of(channel: string): Position | undefined {
    return this.#byChannel.get(channel);
  }
}
