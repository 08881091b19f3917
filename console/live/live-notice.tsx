import { Alert, Text } from "@mantine/core";
import { useLive } from "../api/live-stream.ts";

const clock = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" });

/** Says when what the page shows is not what is. */
export function LiveNotice() {
  const { status, loss, samples } = useLive();
  const last = samples.at(-1);
  const since = last === undefined ? "" : ` What you see is from ${clock.format(Date.parse(last.at))}.`;
  return (
    <div role="status" className="notice">
      {status === "lost" && (
        <Alert
          color="yellow"
          variant="outline"
          title={
            <Text component="span" inherit c="var(--mantine-color-text)">
              {loss === "crowded" ? "Too many pages are watching" : "Reconnecting"}
            </Text>
          }
        >
          <Text size="sm">
            {loss === "crowded"
              ? `The server serves no more live streams: close other pages of the console. This one tries again by itself.${since}`
              : `The server does not answer. This page comes back by itself when it does.${since}`}
          </Text>
        </Alert>
      )}
    </div>
  );
}
