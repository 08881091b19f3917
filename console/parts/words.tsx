import "@mantine/notifications/styles.css";
import { Notifications, notifications } from "@mantine/notifications";
import { useEffect } from "react";
import { type Word, words } from "./tell.ts";

/** Where what is told appears. */
export function Words() {
  useEffect(() => words.listen(show), []);
  return <Notifications position="bottom-right" limit={4} />;
}

function show({ message, isFailure }: Word): void {
  notifications.show({
    message,
    withBorder: true,
    autoClose: isFailure ? 10_000 : 4_000,
    ...(isFailure ? { title: "That did not work", color: "red" } : {}),
  });
}
