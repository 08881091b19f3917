import { expect } from "chai";
import type { Locator, Page, Request } from "playwright-core";
import { describeInBrowser } from "../helpers/browser.ts";
import type { ConsolePage } from "../helpers/console.ts";
import type { CreatedKey } from "../helpers/server.ts";
import { SocketClient } from "../helpers/socket-client.ts";
import { journey } from "./journey.ts";

describeInBrowser("dialogs of the console", () => {
  const site = journey();
  let operator: ConsolePage;
  let page: Page;
  let key: CreatedKey;
  let client: SocketClient;
  /** Every change that was asked for, without the questions before it. */
  let changes: string[];

  beforeEach(async () => {
    key = await site.server.createKey({ name: "web frontend", allowRealtime: true });
    client = await new SocketClient(site.server.url, { apiKey: key.secret }).ready();
    operator = await site.open();
    page = operator.page;
    // What fades in and out is seen, as most people have it.
    await page.emulateMedia({ reducedMotion: "no-preference" });
    changes = [];
    page.on("request", (request) => {
      const path = new URL(request.url()).pathname.replace("/admin/v1", "");
      if (request.method() !== "GET" && !path.endsWith("/preview"))
        changes.push(`${request.method()} ${path}`);
    });
  });
  afterEach(async () => {
    client.close();
    await site.server.deleteKey(key.id);
  });

  const changeOf = (request: Request): string | undefined => {
    const path = new URL(request.url()).pathname.replace("/admin/v1", "");
    return request.method() === "GET" || path.endsWith("/preview")
      ? undefined
      : `${request.method()} ${path}`;
  };
  const button = (name: string) => page.getByRole("button", { name, exact: true });
  const actions = () => button("Actions for web frontend");
  const dialog = (name: string) => page.getByRole("dialog", { name });
  const hasFocus = (one: Locator) => page.locator(":focus").and(one).waitFor();
  const holdsFocus = (name: string) => dialog(name).locator(":focus").waitFor();
  const isClosed = (name: string) =>
    dialog(name).and(page.locator(":not([inert])")).waitFor({ state: "detached" });
  const isGone = (name: string) => dialog(name).waitFor({ state: "detached" });
  const nameField = () => page.getByRole("textbox", { name: "Key name" });

  /** A dialog, and how it is opened with the focus where it is opened from. */
  type Place = {
    readonly name: string;
    readonly from: () => Locator;
    readonly open: () => Promise<void>;
  };
  const choose = async (item: string): Promise<void> => {
    await actions().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("menuitem", { name: item, exact: true }).focus();
    await page.keyboard.press("Enter");
  };
  const press = async (from: Locator): Promise<void> => {
    await from.focus();
    await page.keyboard.press("Enter");
  };
  const inTheList = (name: string, item: string): Place => ({
    name,
    from: actions,
    open: async () => {
      await operator.visit("/keys");
      await choose(item);
    },
  });
  const onThePage = (name: string, from: () => Locator, prepare = async () => {}): Place => ({
    name,
    from,
    open: async () => {
      await operator.visit(`/keys/${key.id}`);
      await nameField().waitFor();
      await prepare();
      await press(from());
    },
  });
  const endRealtime = () => page.getByRole("switch", { name: "Allow realtime" }).click();
  const rename = () => nameField().fill("renamed");
  const closeButton = () => button(`Close ${client.socket.id}`);

  const places = {
    duplicate: inTheList("Duplicate this key", "Duplicate"),
    rotate: inTheList("Rotate the secret", "Rotate the secret"),
    disable: inTheList("Disable this key", "Disable"),
    delete: inTheList("Delete this key", "Delete"),
    deleteThis: {
      name: "Delete this key",
      from: actions,
      open: async () => {
        await operator.visit(`/keys/${key.id}`);
        await choose("Delete");
      },
    },
    why: onThePage("Why was it denied?", () => button("Why was it denied?")),
    preview: onThePage("Before you save", () => button("Save"), endRealtime),
    leave: onThePage("Leave without saving?", () => page.getByRole("link", { name: "Audit" }), rename),
    merge: onThePage(
      "Somebody else changed this key",
      () => button("See the difference"),
      async () => {
        await rename();
        await site.server.patchKey(key.id, { metadata: { by: "somebody else" } });
        await button("See the difference").waitFor({ timeout: 30_000 });
      },
    ),
    close: {
      name: "Close this connection?",
      from: closeButton,
      open: async () => {
        await operator.visit("/live");
        await press(closeButton());
      },
    },
  } satisfies Readonly<Record<string, Place>>;

  for (const [what, { name, from, open }] of Object.entries(places)) {
    it(`give the focus back at once to where they were opened from, and can be opened again at once: ${what}`, async () => {
      await open();
      await holdsFocus(name);
      await page.keyboard.press("Escape");
      await hasFocus(from());
      if (from === actions) {
        await isGone(name);
        return;
      }
      // While the one before is still fading.
      for (let turn = 0; turn < 3; turn += 1) {
        await page.keyboard.press("Enter");
        await holdsFocus(name);
        await page.keyboard.press("Escape");
        expect(await from().evaluate((one) => one === document.activeElement)).to.equal(true);
      }
      await isGone(name);
      await hasFocus(from());
      expect(changes).to.deep.equal([]);
    });
  }

  it("give the focus back when a new secret is stored", async () => {
    await places.rotate.open();
    await holdsFocus(places.rotate.name);
    await press(dialog(places.rotate.name).getByRole("button", { name: "Rotate", exact: true }));
    await page.getByTestId("secret").waitFor();
    await press(button("I have stored it"));
    await hasFocus(actions());
  });

  it("leave the focus on the heading of the page that one leaves for", async () => {
    await places.leave.open();
    await press(dialog(places.leave.name).getByRole("button", { name: "Leave" }));
    await page.locator("h1:focus").filter({ hasText: "Audit" }).waitFor();
  });

  /** The button that does it, and what is to be asked for, once. */
  const confirmed: readonly (readonly [Place, string, () => readonly string[]])[] = [
    [places.duplicate, "Duplicate", () => [`POST /keys/${key.id}/duplicate`]],
    [places.rotate, "Rotate", () => [`POST /keys/${key.id}/rotate`]],
    [places.disable, "Disable", () => [`PATCH /keys/${key.id}`]],
    [places.delete, "Delete", () => [`DELETE /keys/${key.id}`]],
    [places.preview, "Save and close 1", () => [`PATCH /keys/${key.id}`]],
    [places.close, "Close it", () => [`DELETE /connections/${client.socket.id}`]],
  ];
  for (const [{ name, open }, verb, expected] of confirmed) {
    it(`ask for a change once, however often their button is pressed: ${verb}`, async () => {
      // Before the page is there: one that is there may send a request past a route that is just being laid.
      const wanted = expected();
      let release = (): void => {};
      const isReleased = new Promise<void>((resolve) => {
        release = resolve;
      });
      let tellAsked = (): void => {};
      const isAsked = new Promise<void>((resolve) => {
        tellAsked = resolve;
      });
      await page.route("**/admin/v1/**", async (route) => {
        if (changeOf(route.request()) === wanted[0]) {
          tellAsked();
          await isReleased;
        }
        await route.continue();
      });
      await open();
      const confirm = dialog(name).getByRole("button", { name: verb, exact: true });
      await confirm.focus();
      const box = await confirm.boundingBox();
      if (box === null) throw new Error("the button is nowhere");
      // Both before the answer: after it the focus is elsewhere, and Enter asks anew.
      await page.keyboard.press("Enter");
      await page.keyboard.press("Enter");
      await isAsked;
      release();
      await isClosed(name);
      // It may still be fading: whoever clicks twice hits where it was.
      await page.mouse.dblclick(box.x + box.width / 2, box.y + box.height / 2);
      await isGone(name);
      await site.server.admin("/keys");
      expect(changes).to.deep.equal(wanted);
    });
  }

  it("ask for a change once when Enter is pressed twice in their field", async () => {
    await places.duplicate.open();
    await hasFocus(page.getByLabel("Name of the new key"));
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    await page.getByTestId("secret").waitFor();
    expect(changes).to.deep.equal([`POST /keys/${key.id}/duplicate`]);
  });

  it("keep the focus when something goes wrong, and begin anew the next time", async () => {
    let isDiskFull = true;
    const isClosing = (url: URL): boolean => url.pathname.startsWith("/admin/v1/connections/");
    await page.route(isClosing, (route) =>
      isDiskFull ? route.fulfill({ status: 500, json: { detail: "the disk is full" } }) : route.continue(),
    );
    await places.close.open();
    await holdsFocus(places.close.name);
    const confirm = dialog(places.close.name).getByRole("button", { name: "Close it" });
    await press(confirm);
    await dialog(places.close.name).getByRole("alert").getByText("The disk is full").waitFor();
    await hasFocus(confirm);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Enter");
    await hasFocus(dialog(places.close.name).getByRole("button", { name: "Cancel" }));
    expect(await dialog(places.close.name).getByRole("alert").count()).to.equal(0);
    isDiskFull = false;
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await client.next("connection:closing");
  });

  it("keep what is behind them from being saved by the keyboard", async () => {
    await operator.visit(`/keys/${key.id}`);
    await rename();
    await choose("Delete");
    await holdsFocus("Delete this key");
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Escape");
    await hasFocus(actions());
    await page.keyboard.press("Control+s");
    await page.getByText("Saved.").waitFor();
    expect(changes).to.deep.equal([`PATCH /keys/${key.id}`]);
  });

  it("come once when a key is made by pressing Ctrl+S twice", async () => {
    await operator.visit("/keys/new");
    await nameField().fill("made twice");
    await page.keyboard.press("Control+s");
    await page.keyboard.press("Control+s");
    await page.getByTestId("secret").waitFor();
    await button("I have stored it").click();
    await page.getByRole("heading", { name: "made twice" }).waitFor();
    expect(changes).to.deep.equal(["POST /keys"]);
  });
});
