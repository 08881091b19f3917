import { Badge, Tabs } from "@mantine/core";
import { type ReactNode, useEffect, useRef } from "react";
import { GeneralTab } from "./general-tab.tsx";
import { type TabId, tabOf } from "./key-values.ts";
import { DomainsTab, IpsTab } from "./list-tabs.tsx";
import { ChannelsTab, LimitsTab } from "./rules-tabs.tsx";
import type { KeyForm } from "./use-key-form.ts";

const TABS: readonly { readonly id: TabId; readonly label: string }[] = [
  { id: "general", label: "General" },
  { id: "domains", label: "Allowed Domains" },
  { id: "ips", label: "Allowed IPs" },
  { id: "channels", label: "Channels" },
  { id: "limits", label: "Limits" },
  { id: "activity", label: "Activity" },
];

export function tabIdOf(text: string): TabId {
  return TABS.find(({ id }) => id === text)?.id ?? "general";
}

type KeyFormTabsProps = {
  readonly form: KeyForm;
  readonly tab: TabId;
  readonly onTab: (tab: TabId) => void;
  /** What the tab "Activity" shows; a key that is not made yet has none. */
  readonly activity?: ReactNode;
};

/** A key's settings in tabs. A tab with a fault says so. */
export function KeyFormTabs({ form, tab, onTab, activity }: KeyFormTabsProps) {
  const faults = new Map<TabId, number>();
  for (const [path, message] of Object.entries(form.errors)) {
    if (message) faults.set(tabOf(path), (faults.get(tabOf(path)) ?? 0) + 1);
  }
  const shown = TABS.filter(({ id }) => id !== "activity" || activity !== undefined);
  const panels: Readonly<Record<TabId, ReactNode>> = {
    general: <GeneralTab form={form} />,
    domains: <DomainsTab form={form} />,
    ips: <IpsTab form={form} />,
    channels: <ChannelsTab form={form} />,
    limits: <LimitsTab form={form} />,
    activity,
  };
  const bar = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // On a phone the tabs are wider than the screen.
    const active = bar.current?.querySelector(`[aria-selected=true], [data-tab="${tab}"]`);
    active?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab]);
  return (
    <Tabs value={tab} onChange={(next) => onTab(tabIdOf(next ?? ""))} keepMounted={false}>
      <Tabs.List className="tabs" ref={bar}>
        {shown.map(({ id, label }) => (
          <Tabs.Tab
            key={id}
            value={id}
            {...(faults.has(id) ? { rightSection: <Faults count={faults.get(id) ?? 0} /> } : {})}
          >
            {label}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {shown.map(({ id }) => (
        <Tabs.Panel key={id} value={id} p={{ base: "md", sm: "lg" }}>
          {panels[id]}
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

function Faults({ count }: { readonly count: number }) {
  return (
    <Badge size="sm" color="red.9" circle aria-label={count === 1 ? "1 fault" : `${count} faults`}>
      {count}
    </Badge>
  );
}
