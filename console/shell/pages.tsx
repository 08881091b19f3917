import { Button, Stack, Text } from "@mantine/core";
import { lazy } from "react";
import { Link, Redirect, Route, Switch } from "wouter";
import { KeysPage } from "../keys/keys-page.tsx";
import { PageTitle } from "../parts/page-title.tsx";

// The list is what an operator sees first; the rest is loaded when somebody goes there.
const NewKeyPage = lazy(async () => ({ default: (await import("../key/new-key-page.tsx")).NewKeyPage }));
const KeyPage = lazy(async () => ({ default: (await import("../key/key-page.tsx")).KeyPage }));
const LivePage = lazy(async () => ({ default: (await import("../live/live-page.tsx")).LivePage }));
const ChannelPage = lazy(async () => ({ default: (await import("../live/channel-page.tsx")).ChannelPage }));
const EndpointsPage = lazy(async () => ({
  default: (await import("../live/endpoints-page.tsx")).EndpointsPage,
}));
const RefusalsPage = lazy(async () => ({
  default: (await import("../refusals/refusals-page.tsx")).RefusalsPage,
}));
const ExplainPage = lazy(async () => ({
  default: (await import("../explain/explain-page.tsx")).ExplainPage,
}));
const AuditPage = lazy(async () => ({ default: (await import("../refusals/audit-page.tsx")).AuditPage }));
const SettingsPage = lazy(async () => ({
  default: (await import("../settings/settings-page.tsx")).SettingsPage,
}));

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
