/** The key of the measured server, which is there only while it is measured. */
export const IMPORTED_KEY = "bench-key-0123456789-0123456789-01";
