import { existsSync, readFileSync } from "node:fs";

/** What a runtime leaves in the file system, or in the environment, of what it runs. */
const MARKER_FILES = ["/.dockerenv", "/run/.containerenv"];
const MARKER_VARIABLES = [
  "KUBERNETES_SERVICE_HOST",
  "ECS_CONTAINER_METADATA_URI_V4",
  "ECS_CONTAINER_METADATA_URI",
  "K_SERVICE",
  "CONTAINER_APP_NAME",
  "FLY_APP_NAME",
];
/** systemd's container interface: https://systemd.io/CONTAINER_INTERFACE. Desktop sandboxes set it too, and are none. */
const SANDBOXES: ReadonlySet<string> = new Set(["", "flatpak", "snap", "wsl"]);
const GIVEN_FILES: ReadonlySet<string> = new Set(["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"]);

export type ContainerSigns = {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly exists: (path: string) => boolean;
  /** `/proc/self/mountinfo`; undefined where there is none. */
  readonly mounts: string | undefined;
};

/**
 * Whether this process runs in a container, where 127.0.0.1 is reached by nobody else. Docker and Podman leave a file,
 * Kubernetes and the clouds set variables; containerd and CRI-O do neither, but give the container its own `/etc/hosts` or
 * `/etc/resolv.conf` as a mount, on a root that is an overlay. In doubt it is none: to listen on every address by mistake is worse.
 */
export function isContainer({ environment, exists, mounts }: ContainerSigns): boolean {
  if (MARKER_FILES.some(exists)) return true;
  if (MARKER_VARIABLES.some((name) => (environment[name] ?? "") !== "")) return true;
  if (!SANDBOXES.has(environment["container"] ?? "")) return true;
  return mounts !== undefined && hasContainerMounts(mounts);
}

/** Lines of mountinfo are `id parent device root mountpoint options… - type source options` (proc(5)). */
function hasContainerMounts(mounts: string): boolean {
  let isRootLayered = false;
  let hasGivenFile = false;
  for (const line of mounts.split("\n")) {
    const [place = "", source = ""] = line.split(" - ");
    const mountpoint = place.split(" ")[4] ?? "";
    if (mountpoint === "/")
      isRootLayered = /^(overlay|fuse-overlayfs|fuse\.fuse-overlayfs|aufs) /.test(source);
    if (GIVEN_FILES.has(mountpoint)) hasGivenFile = true;
  }
  return isRootLayered && hasGivenFile;
}

let isInContainer: boolean | undefined;

/** Looked up once: what runs a process does not change. */
export function runsInContainer(): boolean {
  isInContainer ??= isContainer({ environment: process.env, exists: existsSync, mounts: readMounts() });
  return isInContainer;
}

function readMounts(): string | undefined {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return undefined;
  }
}
