/** What the content security policy of this page load lets `<style>` elements through with. */
export function styleNonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";
}

/** The scroll lock below dialogs writes a style too, and takes its nonce from this global name. */
export function allowStyles(): void {
  Reflect.set(globalThis, "__webpack_nonce__", styleNonce());
}
