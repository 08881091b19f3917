import { Button, Stack, Text } from "@mantine/core";
import { Link, Redirect, Route, Switch } from "wouter";
import { KeysPage } from "../keys/keys-page.tsx";
import { PageTitle } from "../parts/page-title.tsx";
import { part } from "../parts/part.tsx";
import { Waiting } from "./waiting.tsx";

// The list is what an operator sees first; the rest is loaded when somebody goes there.
const waiting = <Waiting />;
const NewKeyPage = part(async () => (await import("../key/new-key-page.tsx")).NewKeyPage, { waiting });
const KeyPage = part(async () => (await import("../key/key-page.tsx")).KeyPage, { waiting });
const LivePage = part(async () => (await import("../live/live-page.tsx")).LivePage, { waiting });
const ChannelPage = part(async () => (await import("../live/channel-page.tsx")).ChannelPage, { waiting });
const EndpointsPage = part(async () => (await import("../live/endpoints-page.tsx")).EndpointsPage, {
  waiting,
});
const RefusalsPage = part(async () => (await import("../refusals/refusals-page.tsx")).RefusalsPage, {
  waiting,
});
const ExplainPage = part(async () => (await import("../explain/explain-page.tsx")).ExplainPage, { waiting });
const AuditPage = part(async () => (await import("../refusals/audit-page.tsx")).AuditPage, { waiting });
const SettingsPage = part(async () => (await import("../settings/settings-page.tsx")).SettingsPage, {
  waiting,
});

/** So that an upgrade or a lost line takes nobody's next page away. */
export function preloadPages(): void {
  const pages = [
    NewKeyPage,
    KeyPage,
    LivePage,
    ChannelPage,
    EndpointsPage,
    RefusalsPage,
    ExplainPage,
    AuditPage,
    SettingsPage,
  ];
  for (const page of pages) page.preload();
}

/** Every address of the console. */
export function Pages() {
  return (
    <Switch>
      <Route path="/">
        <Redirect to="/keys" replace />
      </Route>
      <Route path="/keys">
        <KeysPage />
      </Route>
      <Route path="/keys/new">
        <NewKeyPage />
      </Route>
      <Route path="/keys/:id/:tab?">
        {({ id, tab }) => <KeyPage key={id} id={id} tab={tab ?? "general"} />}
      </Route>
      <Route path="/live">
        <LivePage />
      </Route>
      <Route path="/live/channel">
        <ChannelPage />
      </Route>
      <Route path="/endpoints">
        <EndpointsPage />
      </Route>
      <Route path="/refusals">
        <RefusalsPage />
      </Route>
      <Route path="/explain">
        <ExplainPage />
      </Route>
      <Route path="/audit">
        <AuditPage />
      </Route>
      <Route path="/settings">
        <SettingsPage />
      </Route>
      <Route>
        <Nowhere />
      </Route>
    </Switch>
  );
}

function Nowhere() {
  return (
    <Stack align="flex-start">
      <PageTitle>There is no such page</PageTitle>
      <Text>The address may be old, or mistyped.</Text>
      <Button component={Link} href="/keys">
        To the API keys
      </Button>
    </Stack>
  );
}
