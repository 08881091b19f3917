import {
  createClient,
  type IncomingMessage,
  type Member,
  type PresenceEvent,
  type Realtime,
  type SluiceError,
} from "../client/index.ts";
import { create, find } from "./element.ts";

const MAX_LINES = 200;

export type PaneOptions = {
  readonly testId: string;
  readonly title: string;
  readonly name: string;
  readonly channel: string;
  readonly apiKey: string;
};

/** One client and what it sees: state, members, messages, and why it was closed. */
export class Pane {
  readonly element: HTMLElement;
  readonly #realtime: Realtime;
  readonly #members = new Map<string, Member>();
  readonly #state: HTMLElement;
  readonly #why: HTMLElement;
  readonly #membersList: HTMLElement;
  readonly #membersLabel: HTMLElement;
  readonly #messages: HTMLElement;
  readonly #closed: HTMLElement;
  readonly #reason: HTMLElement;
  readonly #name: HTMLInputElement;
  readonly #input: HTMLInputElement;
  #channel: string;

  constructor(options: PaneOptions) {
    const content = find(document, "#pane", HTMLTemplateElement).content.cloneNode(true);
    if (!(content instanceof DocumentFragment)) throw new Error("the page has no pane");
    this.element = find(content, "section", HTMLElement);
    this.element.dataset["testid"] = options.testId;
    this.element.setAttribute("aria-label", options.title);
    find(this.element, "h2", HTMLElement).textContent = options.title;
    this.#state = find(this.element, "[data-testid=state]", HTMLElement);
    this.#why = find(this.element, "[data-part=why]", HTMLElement);
    this.#membersList = find(this.element, "[data-testid=members]", HTMLElement);
    this.#membersLabel = find(this.element, "[data-part=members-label]", HTMLElement);
    this.#messages = find(this.element, "[data-testid=messages]", HTMLElement);
    this.#messages.setAttribute("aria-label", `Messages of ${options.title}`);
    this.#closed = find(this.element, ".closed", HTMLElement);
    this.#reason = find(this.element, "[data-testid=closing-reason]", HTMLElement);
    this.#name = find(this.element, "[data-testid=name]", HTMLInputElement);
    this.#input = find(this.element, "[data-testid=message-input]", HTMLInputElement);
    this.#name.value = options.name;
    this.#channel = options.channel;
    this.#realtime = createClient(location.origin, options.apiKey).realtime;
    this.#listenToServer();
    this.#listenToPerson();
  }

  async connect(): Promise<void> {
    this.#closed.hidden = true;
    this.#showState("connecting");
    const opening = this.#realtime.open();
    await Promise.all([this.#shareName(), this.#join(), opening]);
  }

  async changeChannel(channel: string): Promise<void> {
    if (channel === this.#channel) return;
    const former = this.#channel;
    this.#channel = channel;
    this.#showMembers([]);
    await this.#realtime.leave(former);
    await this.#join();
  }

  #listenToServer(): void {
    const realtime = this.#realtime;
    realtime.on("chat", (message) => this.#showMessage(message));
    realtime.onConnect(() => {
      this.#showState("connected");
      void this.#refreshMembers();
    });
    realtime.onDisconnect((why) => {
      this.#showMembers([]);
      if (why.willReconnect) this.#showState("connecting");
      else this.#showClosed("Closed", why);
    });
    realtime.onError((error) => {
      if (error.channel !== null) this.#note(`${error.channel}: ${error.code}, ${error.message}`);
      else if (error.retrying) this.#showState("connecting", error.message);
      else this.#showClosed("Refused", error);
    });
    realtime.onChannelClosed((closed) => {
      this.#showMembers([]);
      this.#note(`No longer in ${closed.channel}: ${closed.code}, ${closed.message}`);
    });
    realtime.onJoin((event) => this.#memberCame(event));
    realtime.onUpdate((event) => this.#memberCame(event));
    realtime.onLeave(({ channel, message }) => {
      if (channel !== this.#channel) return;
      this.#members.delete(message.id);
      this.#drawMembers();
    });
  }

  #listenToPerson(): void {
    find(this.element, "form", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#send();
    });
    find(this.element, "[data-testid=reconnect]", HTMLElement).addEventListener("click", () => {
      void this.connect();
    });
    this.#name.addEventListener("change", () => void this.#shareName());
  }

  async #join(): Promise<void> {
    const { error } = await this.#realtime.join(this.#channel);
    if (!error) await this.#refreshMembers();
    else if (this.#realtime.connected) this.#note(`Not in ${this.#channel}: ${error.code}, ${error.message}`);
  }

  async #shareName(): Promise<void> {
    const name = this.#name.value.trim();
    if (name === "") return;
    const { error } = await this.#realtime.updateProfile({ name });
    if (error && this.#realtime.connected) this.#note(`Name not shared: ${error.code}, ${error.message}`);
  }

  async #send(): Promise<void> {
    const text = this.#input.value.trim();
    if (text === "") return;
    this.#input.value = "";
    const { error } = await this.#realtime.send(this.#channel, "chat", text);
    if (error) this.#note(`Not sent (“${text}”): ${error.code}, ${error.message}`);
  }

  async #refreshMembers(): Promise<void> {
    const channel = this.#channel;
    const { data } = await this.#realtime.getMembers(channel);
    if (data && channel === this.#channel) this.#showMembers(data.members);
  }

  #memberCame({ channel, message }: PresenceEvent): void {
    if (channel !== this.#channel) return;
    this.#members.set(message.id, message);
    this.#drawMembers();
  }

  #showMembers(members: readonly Member[]): void {
    this.#members.clear();
    for (const member of members) this.#members.set(member.id, member);
    this.#drawMembers();
  }

  #drawMembers(): void {
    const items = [...this.#members.values()].map((member) => {
      const isSelf = member.id === this.#realtime.id;
      return create("li", isSelf ? "self" : "", nameOf(member), isSelf ? " (this client)" : "");
    });
    this.#membersList.replaceChildren(...items);
    this.#membersLabel.textContent = `Members: ${items.length}`;
  }

  #showState(state: "connecting" | "connected" | "closed", why = ""): void {
    this.element.dataset["state"] = state;
    this.#state.textContent = state;
    this.#why.textContent = why;
    this.#why.hidden = why === "";
    if (state !== "closed") this.#closed.hidden = true;
  }

  #showClosed(word: string, { code, message }: SluiceError): void {
    this.#showState("closed");
    this.#reason.replaceChildren(
      create("strong", "", `${word}: ${code}`),
      create("span", "", message.charAt(0).toUpperCase() + message.slice(1)),
    );
    this.#closed.hidden = false;
  }

  #showMessage({ channel, message, from, timestamp }: IncomingMessage): void {
    if (channel !== this.#channel) return;
    const name = this.#senderName(from);
    const text = typeof message === "string" ? message : JSON.stringify(message);
    const time = create("time", "", new Date(timestamp).toLocaleTimeString());
    const isSelf = from !== null && from.id === this.#realtime.id;
    this.#addLine(create("div", isSelf ? "self" : "", create("b", "", name), time, create("p", "", text)));
  }

  #senderName(from: IncomingMessage["from"]): string {
    if (from === null) return "server";
    if (from.id === null) return from.key ?? "over HTTP";
    const sender = this.#members.get(from.id);
    return sender ? nameOf(sender) : from.id.slice(0, 6);
  }

  #note(text: string): void {
    this.#addLine(create("div", "note", text));
  }

  #addLine(line: HTMLElement): void {
    this.#messages.append(line);
    while (this.#messages.childElementCount > MAX_LINES) this.#messages.firstElementChild?.remove();
    this.#messages.scrollTop = this.#messages.scrollHeight;
  }
}

function nameOf({ id, data }: Member): string {
  const name: unknown = typeof data === "object" && data !== null ? Reflect.get(data, "name") : undefined;
  return typeof name === "string" && name.trim() !== "" ? name.slice(0, 40) : id.slice(0, 6);
}
