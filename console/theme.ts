import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const sea: MantineColorsTuple = [
  "#e9f8f8",
  "#d5eeef",
  "#abdcde",
  "#7ec9cc",
  "#5bb9bd",
  "#43aeb3",
  "#2f9aa0",
  "#1b858b",
  "#0d7077",
  "#075a60",
];

export const theme = createTheme({
  colors: { sea },
  primaryColor: "sea",
  primaryShade: { light: 8, dark: 8 },
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  defaultRadius: "md",
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Modal: { defaultProps: { closeButtonProps: { "aria-label": "Close this dialog" } } },
    // By name, so that a dialog is not part of the first load. A label needs a role that may have one.
    Loader: { defaultProps: { role: "img", "aria-label": "Loading" } },
  },
});

/** Grey texts with enough contrast to be read (4.5 : 1 on every surface that they are on). */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#52595f",
    "--mantine-color-placeholder": "#656d75",
    "--mantine-color-error": "#c2261d",
    "--mantine-color-anchor": "#08626a",
    "--surface": "#ffffff",
    "--surface-sunk": "#f6f8f8",
    "--line": "#dfe4e5",
    "--good": "#17703f",
    "--warn": "#b96a00",
    "--bad": "#b3241c",
  },
  dark: {
    "--mantine-color-body": "#15191b",
    "--mantine-color-dimmed": "#a9b2b6",
    "--mantine-color-placeholder": "#929ca1",
    "--mantine-color-error": "#ff8f87",
    "--mantine-color-anchor": "#7ad3d8",
    "--surface": "#1c2124",
    "--surface-sunk": "#15191b",
    "--line": "#333b3f",
    "--good": "#5fd394",
    "--warn": "#f0b04a",
    "--bad": "#ff9d96",
  },
});
