import { expect } from "chai";
import { isContainer } from "../../src/config/container.ts";

const EXT4_ROOT = "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw";
const OVERLAY_ROOT =
  "600 500 0:50 / / rw,relatime master:1 - overlay overlay rw,lowerdir=/var/lib/containerd/x";
const HOSTS = "612 600 254:0 /var/lib/kubelet/pods/x/etc-hosts /etc/hosts rw - ext4 /dev/vda rw";
const CONTAINERS_OF_A_HOST =
  "700 27 0:60 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw,lowerdir=/var/lib/docker/x";

describe("the detection of a container", () => {
  const look = (signs: {
    environment?: Record<string, string>;
    files?: string[];
    mounts?: string[];
  }): boolean =>
    isContainer({
      environment: signs.environment ?? {},
      exists: (path) => signs.files?.includes(path) === true,
      mounts: signs.mounts?.join("\n"),
    });

  for (const [name, signs] of Object.entries({
    Docker: { files: ["/.dockerenv"] },
    Podman: { files: ["/run/.containerenv"] },
    "a pod of Kubernetes": { environment: { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, mounts: [EXT4_ROOT] },
    "a pod that gets no variables of Services": { mounts: [OVERLAY_ROOT, HOSTS] },
    "systemd-nspawn": { environment: { container: "systemd-nspawn" } },
    "AWS Fargate": { environment: { ECS_CONTAINER_METADATA_URI_V4: "http://169.254.170.2/v4/x" } },
    "Cloud Run": { environment: { K_SERVICE: "sluice" } },
  }))
    it(`knows ${name}`, () => {
      expect(look(signs)).to.equal(true);
    });

  for (const [name, signs] of Object.entries({
    "a plain machine": { mounts: [EXT4_ROOT] },
    "a machine that runs containers": { mounts: [EXT4_ROOT, CONTAINERS_OF_A_HOST] },
    "a machine whose hosts file is a mount": { mounts: [EXT4_ROOT, HOSTS] },
    "a live system on an overlay": { mounts: [OVERLAY_ROOT] },
    "a desktop sandbox": { environment: { container: "flatpak" }, mounts: [EXT4_ROOT] },
    "a system without /proc": {},
  }))
    it(`takes ${name} for none`, () => {
      expect(look(signs)).to.equal(false);
    });
});
