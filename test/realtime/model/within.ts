/** What a wait may take: the machine may be busy, the server is not. */
const WAIT_MS = 10_000;

export async function within<T>(
  promise: Promise<T>,
  what: string,
  more: () => string = () => "",
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what} did not come within ${WAIT_MS} ms\n${more()}`)),
      WAIT_MS,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
