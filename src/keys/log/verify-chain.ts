import { setImmediate as nextTurn } from "node:timers/promises";
import { UnreadableRecordError } from "../records/errors.ts";
import type { StoredEntries } from "../records/stored-entries.ts";
import {
  type ChainHead,
  DEED_PREFIX,
  deedId,
  digestOfDeed,
  HEAD_KEY,
  isChainDigest,
  parseDeed,
  parseHead,
  sequenceOf,
} from "./deed-chain.ts";
import type { BrokenLink, ChainCheck, ChainPlace } from "./deed-log.ts";

/** Entries read and hashed between two turns of the event loop: at most some 2 ms. */
const SLICE = 100;
/** Times that the check begins anew because old entries were let go of meanwhile. */
const MAX_BEGINNINGS = 10;

/**
 * Looks at every link of the chain, from its anchor to its head, in slices. Entries that are appended meanwhile are not looked at.
 * @throws RangeError for a noted place of another form
 */
export async function verifyChain(
  entries: StoredEntries,
  known: ChainPlace | undefined,
): Promise<ChainCheck> {
  if (known !== undefined && !(isPlaceNumber(known.sequence) && isChainDigest(known.digest))) {
    throw new RangeError("a place of the chain is a number from 1 and a digest of 64 hex digits");
  }
  for (let beginning = 1; ; beginning += 1) {
    const head = await readHead(entries);
    if ("reason" in head) {
      const nothing = { sequence: 0, digest: "" };
      return { intact: false, checked: 0, first: 0, head: nothing, broken: head };
    }
    const { checked, broken } = await walk(entries, head, known);
    const wasTrimmed = broken !== undefined && (await readHead(entries)).first !== head.first;
    if (wasTrimmed && beginning < MAX_BEGINNINGS) continue;
    return {
      intact: broken === undefined,
      checked,
      first: head.first,
      head: { sequence: head.last, digest: head.digest },
      broken: broken ?? null,
    };
  }
}

async function walk(
  entries: StoredEntries,
  head: ChainHead,
  known: ChainPlace | undefined,
): Promise<{ checked: number; broken: BrokenLink | undefined }> {
  let checked = 0;
  let digest = head.previous;
  const differs = (sequence: number): BrokenLink | undefined =>
    known?.sequence === sequence && known.digest !== digest
      ? broken(sequence, "this entry is not the one that was noted")
      : undefined;
  const isBefore = known !== undefined && known.sequence < head.first - 1;
  if (isBefore) return { checked, broken: broken(known.sequence, "the noted entry is no longer kept") };
  let fault = differs(head.first - 1);
  let after: string | undefined;
  while (fault === undefined && head.first + checked <= head.last) {
    const limit = Math.min(SLICE, head.last - head.first - checked + 1);
    const page = await entries.range(DEED_PREFIX, { ...(after === undefined ? {} : { after }), limit });
    for (const { key, text } of page) {
      const sequence = head.first + checked;
      const link = linkOf(key, text, sequence, digest);
      if (typeof link !== "string") return { checked, broken: link };
      digest = link;
      checked += 1;
      fault = differs(sequence);
      if (fault !== undefined) return { checked, broken: fault };
    }
    if (page.length === 0) fault = broken(head.first + checked, "this entry is missing");
    after = page.at(-1)?.key;
    await nextTurn();
  }
  if (fault === undefined && digest !== head.digest)
    fault = broken(head.last, "this entry is not the one that the head names: it was changed");
  if (fault === undefined && known !== undefined && known.sequence > head.last)
    fault = broken(known.sequence, "the chain ends before the noted entry");
  return { checked, broken: fault };
}

/** The digest of an entry that is the next one of its chain, or what is wrong with it. */
function linkOf(key: string, text: string, sequence: number, previous: string): string | BrokenLink {
  if (sequenceOf(key) !== sequence) return broken(sequence, "this entry is missing");
  try {
    const deed = parseDeed(deedId(sequence), text);
    if (deed.previous === previous) return digestOfDeed(deed);
    return broken(
      sequence,
      "this entry is chained to another one than stands before it: one of the two was changed",
    );
  } catch (error) {
    if (error instanceof UnreadableRecordError) return broken(sequence, "this entry cannot be read");
    throw error;
  }
}

async function readHead(entries: StoredEntries): Promise<ChainHead | (BrokenLink & { first: number })> {
  try {
    return parseHead(await entries.text(HEAD_KEY));
  } catch (error) {
    if (!(error instanceof UnreadableRecordError)) throw error;
    return { ...broken(0, "the head of the chain cannot be read"), first: 0 };
  }
}

function broken(sequence: number, reason: string): BrokenLink {
  return { sequence, id: deedId(sequence), reason };
}

function isPlaceNumber(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
