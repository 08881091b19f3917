/** What the members of a run do: of so many channels each joins `each`; `ids`: every publish has its own (Sluice's). */
export type Work = { readonly channels: number; readonly each: number; readonly ids: boolean };

/** The name of a channel of those that are joined. */
export function room(number: number | string): string {
  return `room-${number}`;
}

/** What members and publishers of Sluice or plain Socket.IO do, which ignores the key and what its server acknowledges. */
export function socketIoArguments(apiKey: string | undefined, { channels, each, ids }: Work): string[] {
  const isSluice = apiKey !== undefined;
  const connect = ["W:0{", `S:40${isSluice ? JSON.stringify({ apiKey }) : ""}`];
  connect.push(isSluice ? "W:connection:ready" : "W:40{");
  const member = [...connect];
  for (let index = 0; index < each; index += 1) {
    member.push(`S:42${index}["join",{"channel":"${room(`{${index}}`)}"}]`, `W:43${index}[`);
  }
  const id = isSluice && ids ? ',"id":"{id}"' : "";
  const message = `{"channel":"${room("{channel}")}","eventName":"m","message":`;
  return [
    ["--path", "/realtime/?EIO=4&transport=websocket", "--engine-io", ...steps(member, connect)],
    ["--channels", String(channels), "--each", String(each)],
    ["--prefix", `42["message",${message}`, "--suffix", `${id}}]`],
  ].flat();
}

/** What members and publishers do before they are ready. */
export function steps(member: readonly string[], publisher: readonly string[]): string[] {
  return [
    ...member.flatMap((step) => ["--member-step", step]),
    ...publisher.flatMap((step) => ["--publisher-step", step]),
  ];
}
