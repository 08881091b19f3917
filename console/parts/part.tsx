import { Alert, Button, Group, Text } from "@mantine/core";
import {
  createElement,
  type FunctionComponent,
  type ReactNode,
  useEffect,
  useSyncExternalStore,
} from "react";
import { updates, useIsUpdated } from "./updates.ts";

type PartState<P> = { readonly component?: FunctionComponent<P>; readonly hasFailed: boolean };

/** A part of the console that is loaded when it is needed, or before. */
export type Part<P> = FunctionComponent<P> & { readonly preload: () => void };

type PartOptions = {
  /** What stands in its place while it is loaded. */
  readonly waiting?: ReactNode;
  /** Whether it has no place of its own on the page: then what is said of it stands below everything else. */
  readonly isDialog?: boolean;
};

class PartLoader<P> {
  readonly #load: () => Promise<FunctionComponent<P>>;
  #state: PartState<P> = { hasFailed: false };
  #isLoading = false;
  readonly #listeners = new Set<() => void>();

  constructor(load: () => Promise<FunctionComponent<P>>) {
    this.#load = load;
    // Nobody has to press anything when the line is back.
    window.addEventListener("online", () => {
      if (this.#state.hasFailed) this.load();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly state = (): PartState<P> => this.#state;

  readonly load = (): void => {
    if (this.#isLoading || this.#state.component !== undefined) return;
    this.#isLoading = true;
    this.#load()
      .then(
        (component) => this.#become({ component, hasFailed: false }),
        () => {
          this.#become({ hasFailed: true });
          // Its file may be gone because the server has newer ones.
          void updates.look();
        },
      )
      .finally(() => {
        this.#isLoading = false;
      });
  };

  #become(state: PartState<P>): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }
}

/**
 * A part that is loaded when it is first shown. Whatever becomes of that, the page around it stays: a part that cannot be loaded says
 * so in its place and can be tried again.
 */
export function part<P extends object>(
  load: () => Promise<FunctionComponent<P>>,
  { waiting = null, isDialog = false }: PartOptions = {},
): Part<P> {
  const loader = new PartLoader(load);
  const view: FunctionComponent<P> = (props) =>
    createElement(PartView<P>, { loader, waiting, isDialog, props });
  return Object.assign(view, { preload: loader.load });
}

type PartViewProps<P> = Required<PartOptions> & { readonly loader: PartLoader<P>; readonly props: P };

function PartView<P extends object>({ loader, waiting, isDialog, props }: PartViewProps<P>): ReactNode {
  const { component: Loaded, hasFailed } = useSyncExternalStore(loader.subscribe, loader.state);
  useEffect(loader.load, []);
  if (Loaded !== undefined) return <Loaded {...props} />;
  return hasFailed ? <Missing retry={loader.load} isDialog={isDialog} /> : waiting;
}

function Missing({ retry, isDialog }: { readonly retry: () => void; readonly isDialog: boolean }) {
  const isUpdated = useIsUpdated();
  return (
    <Alert
      color="red"
      variant="outline"
      role="alert"
      title="This part of the console could not be loaded"
      {...(isDialog ? { className: "missing-dialog" } : {})}
    >
      <Group justify="space-between">
        <Text size="sm">
          {isUpdated
            ? "The server was updated. Reload to go on: what you typed is kept."
            : "The server or the network may be away. What you typed is still there."}
        </Text>
        {isUpdated ? (
          <Button size="xs" onClick={() => updates.reload()}>
            Reload
          </Button>
        ) : (
          <Button size="xs" variant="default" onClick={retry}>
            Try again
          </Button>
        )}
      </Group>
    </Alert>
  );
}
