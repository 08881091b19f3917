/** The JSON of a message, cut at so many characters without writing the rest of it. */
export function previewOf(
  value: unknown,
  maxChars: number,
): { readonly text: string; readonly truncated: boolean } {
  const writer = new Writer(maxChars);
  writer.value(value);
  return { text: writer.text, truncated: writer.isFull };
}

class Writer {
  readonly #maxChars: number;
  text = "";
  isFull = false;

  constructor(maxChars: number) {
    this.#maxChars = maxChars;
  }

  value(value: unknown): void {
    if (this.isFull) return;
    if (typeof value === "string") this.#string(value);
    else if (typeof value === "object" && value !== null) this.#object(value);
    else if (typeof value === "bigint") this.#write(String(value));
    else this.#write(JSON.stringify(value) ?? "null");
  }

  #object(value: object): void {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) {
      this.#write(JSON.stringify(`(${value.byteLength} bytes)`));
    } else if (Array.isArray(value)) {
      this.#write("[");
      for (let i = 0; i < value.length && !this.isFull; i += 1) {
        if (i > 0) this.#write(",");
        this.value(value[i]);
      }
      this.#write("]");
    } else {
      this.#write("{");
      let separator = "";
      for (const name in value) {
        if (this.isFull) break;
        this.#write(separator);
        this.#string(name);
        this.#write(":");
        this.value(Reflect.get(value, name));
        separator = ",";
      }
      this.#write("}");
    }
  }

  /** Quoting may make it longer, never shorter. */
  #string(text: string): void {
    const room = this.#maxChars - this.text.length;
    this.#write(JSON.stringify(text.length > room ? text.slice(0, room + 1) : text));
    if (text.length > room) this.isFull = true;
  }

  #write(text: string): void {
    if (this.isFull) return;
    const room = this.#maxChars - this.text.length;
    if (text.length > room) this.isFull = true;
    this.text += text.length > room ? text.slice(0, room) : text;
  }
}
