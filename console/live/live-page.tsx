import { Stack, Tabs } from "@mantine/core";
import { useSearchParams } from "wouter";
import { PageTitle } from "../parts/page-title.tsx";
import { ChannelsPanel } from "./channels-panel.tsx";
import { ConnectionsPanel } from "./connections-panel.tsx";
import { LiveNotice } from "./live-notice.tsx";
import { OverloadNotice } from "./overload-notice.tsx";
import { RecentRefusals } from "./recent-refusals.tsx";
import { Totals } from "./totals.tsx";

const VIEWS = [
  { value: "connections", label: "Connections" },
  { value: "channels", label: "Channels" },
  { value: "refusals", label: "Refusals" },
] as const;

/** What is happening on this node. Which list is shown, and filtered by what, stands in the address. */
export function LivePage() {
  const [query, setQuery] = useSearchParams();
  const view = VIEWS.find(({ value }) => value === query.get("view"))?.value ?? "connections";
  return (
    <Stack>
      <PageTitle>Live</PageTitle>
      <LiveNotice />
      <OverloadNotice />
      <Totals />
      <Tabs
        value={view}
        keepMounted={false}
        onChange={(next) =>
          setQuery(next === null || next === "connections" ? {} : { view: next }, { replace: true })
        }
      >
        <Tabs.List>
          {VIEWS.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value}>
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        <Tabs.Panel value="connections" pt="md">
          <ConnectionsPanel />
        </Tabs.Panel>
        <Tabs.Panel value="channels" pt="md">
          <ChannelsPanel />
        </Tabs.Panel>
        <Tabs.Panel value="refusals" pt="md">
          <RecentRefusals />
        </Tabs.Panel>
      </Tabs>
    </Stack>
  );
}
