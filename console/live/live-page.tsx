import { Stack, Tabs } from "@mantine/core";
import { useSearchParams } from "wouter";
import { PageTitle } from "../parts/page-title.tsx";
import { ChannelsPanel } from "./channels-panel.tsx";
import { ConnectionsPanel } from "./connections-panel.tsx";
import { Totals } from "./totals.tsx";

/** What is happening on this node. */
export function LivePage() {
  const [query, setQuery] = useSearchParams();
  const view = query.get("view") === "channels" ? "channels" : "connections";
  return (
    <Stack>
      <PageTitle>Live</PageTitle>
      <Totals />
      <Tabs
        value={view}
        keepMounted={false}
        onChange={(next) => setQuery(next === "channels" ? { view: "channels" } : {}, { replace: true })}
      >
        <Tabs.List>
          <Tabs.Tab value="connections">Connections</Tabs.Tab>
          <Tabs.Tab value="channels">Channels</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="connections" pt="md">
          <ConnectionsPanel initialKey={query.get("key") ?? ""} />
        </Tabs.Panel>
        <Tabs.Panel value="channels" pt="md">
          <ChannelsPanel />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
