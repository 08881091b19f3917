import { Alert, Button, Group, Stack, Text } from "@mantine/core";
import { Component, type ReactNode } from "react";
import { updates } from "./updates.ts";

type BoundaryProps = {
  /** With another one what failed is tried again: the page's address. */
  readonly place?: string;
  readonly children: ReactNode;
};
type BoundaryState = { readonly hasFailed: boolean; readonly place: string | undefined };

/** What fails within it is said in its place; the rest of the console goes on. */
export class Boundary extends Component<BoundaryProps, BoundaryState> {
  override state: BoundaryState = { hasFailed: false, place: this.props.place };

  static getDerivedStateFromError(): Partial<BoundaryState> {
    return { hasFailed: true };
  }

  static getDerivedStateFromProps(props: BoundaryProps, state: BoundaryState): Partial<BoundaryState> | null {
    return props.place === state.place ? null : { hasFailed: false, place: props.place };
  }

  override render(): ReactNode {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <Alert color="red" variant="outline" role="alert" title="Something went wrong here">
        <Stack>
          <Text size="sm">The rest of the console works. What you typed elsewhere is still there.</Text>
          <Group>
            <Button size="xs" variant="default" onClick={() => this.setState({ hasFailed: false })}>
              Try again
            </Button>
            <Button size="xs" variant="default" onClick={() => updates.reload()}>
              Reload the page
            </Button>
          </Group>
        </Stack>
      </Alert>
    );
  }
}
