import {
  ActionIcon,
  Alert,
  AppShell,
  Burger,
  Button,
  Group,
  NavLink,
  Text,
  useComputedColorScheme,
  useMantineColorScheme,
} from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useEffect } from "react";
import { Link, useLocation } from "wouter";
import { useLive, useLiveStream } from "../api/live-stream.ts";
import { preloadActions } from "../keys/keys-page.tsx";
import { Boundary } from "../parts/boundary.tsx";
import {
  KeyIcon,
  LogIcon,
  MoonIcon,
  PlugIcon,
  PulseIcon,
  QuestionIcon,
  RefusedIcon,
  SettingsIcon,
  SunIcon,
} from "../parts/icons.tsx";
import { unsaved } from "../parts/unsaved.ts";
import { updates, useIsUpdated } from "../parts/updates.ts";
import { Dialogs, preloadDialogs } from "./dialogs.tsx";
import { Mark } from "./mark.tsx";
import { Pages, preloadPages } from "./pages.tsx";
import { signOut } from "./sign-out.ts";

const PLACES = [
  { path: "/keys", label: "API keys", icon: <KeyIcon /> },
  { path: "/live", label: "Live", icon: <PulseIcon /> },
  { path: "/endpoints", label: "Endpoints", icon: <PlugIcon /> },
  { path: "/refusals", label: "Refusals", icon: <RefusedIcon /> },
  { path: "/explain", label: "Why was it denied?", icon: <QuestionIcon /> },
  { path: "/audit", label: "Audit", icon: <LogIcon /> },
  { path: "/settings", label: "Realtime settings", icon: <SettingsIcon /> },
] as const;

/** Later than whatever the first page itself asks for. */
const PRELOAD_AFTER_MS = 4_000;

/** What is around every page: where to go, how the server is, light or dark, the way out. */
export function Shell() {
  useLiveStream();
  const [isOpen, { toggle, close }] = useDisclosure(false);
  const [path] = useLocation();
  useEffect(() => {
    const timer = window.setTimeout(() => {
      preloadDialogs();
      preloadActions();
      preloadPages();
    }, PRELOAD_AFTER_MS);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <AppShell
      header={{ height: 56 }}
      navbar={{ width: 216, breakpoint: "sm", collapsed: { mobile: !isOpen } }}
      padding="md"
    >
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <AppShell.Header>
        <Group h="100%" px="md" justify="space-between" wrap="nowrap">
          <Group gap="sm" wrap="nowrap">
            <Burger
              opened={isOpen}
              onClick={toggle}
              hiddenFrom="sm"
              size="sm"
              aria-label={isOpen ? "Close the menu" : "Open the menu"}
              aria-expanded={isOpen}
            />
            <Mark />
          </Group>
          <Group gap="sm" wrap="nowrap">
            <ServerState />
            <SchemeSwitch />
            <Button variant="default" size="xs" onClick={leave} style={{ flexShrink: 0 }}>
              Sign out
            </Button>
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Pages">
        {PLACES.map(({ path: to, label, icon }) => (
          <NavLink
            key={to}
            component={Link}
            href={to}
            label={label}
            leftSection={icon}
            active={path === to || path.startsWith(`${to}/`)}
            {...(path === to ? { "aria-current": "page" as const } : {})}
            onClick={close}
          />
        ))}
      </AppShell.Navbar>
      <AppShell.Main id="content">
        <div className="page">
          <UpdateNotice />
          <Boundary place={path}>
            <Pages />
          </Boundary>
        </div>
      </AppShell.Main>
      <Boundary>
        <Dialogs />
      </Boundary>
    </AppShell>
  );
}

/** Said once the server has another console; nobody is interrupted by it. */
function UpdateNotice() {
  const { status } = useLive();
  useEffect(() => {
    // A server that comes back may be a newer one.
    if (status === "open") void updates.look();
  }, [status]);
  if (!useIsUpdated()) return null;
  return (
    <Alert color="yellow" variant="outline" role="status" mb="md" title="The server was updated">
      <Group justify="space-between">
        <Text size="sm">Reload to use its console. What you typed is kept.</Text>
        <Button size="xs" variant="default" onClick={() => updates.reload()}>
          Reload
        </Button>
      </Group>
    </Alert>
  );
}

function leave(): void {
  if (unsaved.isHeld) unsaved.ask(() => void signOut());
  else void signOut();
}

function ServerState() {
  const { status } = useLive();
  const text = status === "open" ? "Live" : status === "lost" ? "Reconnecting…" : "Connecting…";
  return (
    <Group gap={6} wrap="nowrap" role="status">
      <span className="dot" data-tone={status === "open" ? "good" : status === "lost" ? "bad" : "none"} />
      <Text size="sm" c="dimmed" component="span" className="on-wide">
        {text}
      </Text>
    </Group>
  );
}

function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme("light");
  const other = scheme === "dark" ? "light" : "dark";
  return (
    <ActionIcon
      variant="default"
      size="md"
      aria-label={`Use the ${other} theme`}
      title={`Use the ${other} theme`}
      onClick={() => setColorScheme(other)}
    >
      {scheme === "dark" ? <SunIcon /> : <MoonIcon />}
    </ActionIcon>
  );
}
