import { create, find } from "./element.ts";
import { keyFromHash, keyHint } from "./key.ts";
import { Pane } from "./pane.ts";

const apiKey = keyFromHash(location.hash);

// Another key is another page: nothing of the former one stays.
addEventListener("hashchange", () => location.reload());
addCopyButtons();
if (apiKey === undefined) askForKey();
else start(apiKey);

function start(key: string): void {
  const channel = find(document, "#channel", HTMLInputElement);
  const panes = [
    { testId: "pane-a", title: "Client A", name: "Ada" },
    { testId: "pane-b", title: "Client B", name: "Ben" },
  ].map((each) => new Pane({ ...each, channel: channel.value, apiKey: key }));

  find(document, "#key-hint", HTMLElement).textContent = `Key ${keyHint(key)}`;
  find(document, "#panes", HTMLElement).append(...panes.map(({ element }) => element));
  find(document, "#live", HTMLElement).hidden = false;
  find(document, "#channel-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    channel.value = channel.value.trim();
    for (const pane of panes) void pane.changeChannel(channel.value);
  });
  for (const pane of panes) void pane.connect();
}

function askForKey(): void {
  const input = find(document, "#ask-key", HTMLInputElement);
  find(document, "#ask", HTMLElement).hidden = false;
  find(document, "#ask-form", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = encodeURIComponent(input.value.trim());
  });
  input.focus();
}

function addCopyButtons(): void {
  for (const commands of document.querySelectorAll(".commands")) {
    const text = find(commands, "code", HTMLElement).textContent ?? "";
    const button = create("button", "quiet copy", "Copy");
    button.setAttribute("type", "button");
    button.addEventListener("click", () => {
      navigator.clipboard.writeText(text).then(
        () => button.replaceChildren("Copied"),
        () => button.replaceChildren("Copy by hand"),
      );
    });
    commands.append(button);
  }
}
