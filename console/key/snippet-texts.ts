export type Snippet = {
  readonly id: "script" | "npm" | "curl" | "server";
  readonly label: string;
  readonly note: string;
  readonly text: string;
};

/** How a page, a program and a server use a key. `url`: where the public listener is reached. */
export function snippetsOf(url: string, secret: string): readonly Snippet[] {
  return [
    {
      id: "script",
      label: "Script tag",
      note: "In a page. Whoever opens the page can read the key: limit it to your domains.",
      text: `<script src="${url}/sdk/sluice.global.js"></script>
<script>
  const { realtime } = sluice.createClient("${url}", "${secret}");
  realtime.on("say", ({ message }) => console.log(message.text));
  realtime.join("lobby");
  realtime.send("lobby", "say", { text: "hello" });
</script>`,
    },
    {
      id: "npm",
      label: "npm",
      note: "In Node, or with a bundler.",
      text: `import { createClient } from "sluice/client";

const { realtime } = createClient("${url}", "${secret}");
realtime.on("say", ({ message }) => console.log(message.text));
await realtime.join("lobby");
await realtime.send("lobby", "say", { text: "hello" });`,
    },
    {
      id: "curl",
      label: "curl",
      note: "Publishes one message from a shell.",
      text: `curl ${url}/channels/publish \\
  -H "Authorization: Bearer ${secret}" \\
  -H "Content-Type: application/json" \\
  -d '{"channel": "lobby", "eventName": "say", "message": {"text": "hi"}}'`,
    },
    {
      id: "server",
      label: "Server publish",
      note: "From your server, without a connection of its own.",
      text: `const response = await fetch("${url}/channels/publish", {
  method: "POST",
  headers: {
    authorization: "Bearer ${secret}",
    "content-type": "application/json",
  },
  body: JSON.stringify({ channel: "lobby", eventName: "say", message: { text: "hi" } }),
});
if (!response.ok) throw new Error((await response.json()).detail);`,
    },
  ];
}
