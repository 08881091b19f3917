import { toRecord } from "../../helpers/record.ts";
import { checkPresence } from "./presence.ts";
import type { GameRecord, Publication, Visit } from "./trace.ts";
import { Broken, ChannelTruth } from "./truth.ts";
import { Walk } from "./walk.ts";

export { Broken } from "./truth.ts";

/** Hold what everyone saw against the delivery contract of PROTOCOL.md. @throws Broken */
export function checkContract(record: GameRecord): void {
  const clients = grouped(record.visits, ({ client }) => String(client));
  for (const channel of record.channels) {
    const truth = new ChannelTruth(record, channel);
    checkPublications(record, truth);
    for (const visits of clients.values()) new Walk(truth, record, visits);
    checkPresence(record, channel.name);
    for (const visit of record.visits) checkHistory(visit, truth);
  }
  checkBroadcasts(record);
  for (const visit of record.visits) checkEnd(record, visit);
}

function checkPublications(record: GameRecord, truth: ChannelTruth): void {
  const publications = record.publications.filter(({ channel }) => channel === truth.name);
  const scopes = grouped(
    publications.filter(({ id }) => id !== undefined),
    ({ visit, key, id }) => `${key} ${visit?.clientId ?? "http"} ${id}`,
  );
  for (const [scope, repeats] of scopes) checkRepeats(truth, scope, repeats);
  for (const publication of publications) {
    const { outcome, visit, body } = publication;
    const about = `the publish of body ${body} by ${visit?.name ?? "a server"}`;
    const witnesses = visit === undefined ? [record.witness] : [visit, record.witness];
    if (outcome === undefined) continue;
    if ("refused" in outcome) {
      const isConflict = outcome.refused === "id_conflict" && publication.id !== undefined;
      const mayBe =
        isConflict ||
        record.withdrawals.some(({ key, channel }) => key === publication.key && channel === "all");
      if (!mayBe) throw truth.broken(`${about} was refused: ${outcome.refused}`, ...witnesses);
      continue;
    }
    const heard = truth.at(outcome.offset);
    if (heard?.body !== body || heard.id !== outcome.id || outcome.epoch !== truth.epoch)
      throw truth.broken(
        `${about} was acknowledged at ${outcome.offset}, where something else is`,
        ...witnesses,
      );
  }
  for (const visit of record.visits) checkOrder(truth, visit, publications);
}

/** Of one id there is one message; whoever repeats it is told of that one, and whoever says something else is refused. */
function checkRepeats(truth: ChannelTruth, scope: string, repeats: readonly Publication[]): void {
  const offsets = new Set(repeats.map((one) => truth.offsetOf(one)).filter((offset) => offset !== undefined));
  const visits = repeats.flatMap(({ visit }) => visit ?? []);
  if (offsets.size > 1)
    throw truth.broken(`the id of ${scope} was published at ${[...offsets].join(" and ")}`, ...visits);
  const [offset] = offsets;
  for (const { outcome, body } of repeats) {
    if (outcome === undefined) continue;
    if ("refused" in outcome) {
      if (outcome.refused === "id_conflict" && (offset === undefined || truth.at(offset)?.body === body))
        throw truth.broken(`the id of ${scope} is said to conflict with itself`, ...visits);
    } else if (outcome.offset !== offset) {
      throw truth.broken(
        `the id of ${scope} was acknowledged at ${outcome.offset}, and is at ${offset}`,
        ...visits,
      );
    }
  }
}

/** What one connection publishes keeps its order. A repeat has the place of the first. */
function checkOrder(truth: ChannelTruth, visit: Visit, publications: readonly Publication[]): void {
  let before = 0;
  for (const publication of publications) {
    if (publication.visit !== visit || publication.id !== undefined) continue;
    const offset = truth.offsetOf(publication);
    if (offset === undefined) {
      if (publication.outcome !== undefined && "offset" in publication.outcome)
        throw truth.broken(`body ${publication.body} was acknowledged and lost`, visit);
      continue;
    }
    if (offset <= before)
      throw truth.broken(
        `${visit.name}: body ${publication.body} is at ${offset}, and what it sent before at ${before}`,
        visit,
      );
    before = offset;
  }
}

function checkBroadcasts({ publications, visits, witness }: GameRecord): void {
  const broadcasts = publications.filter(({ channel }) => channel === null);
  for (const visit of [...visits, witness]) {
    const heard = visit.trace.flatMap((entry) =>
      entry.type === "message" && entry.channel === null ? [entry.body] : [],
    );
    const seen = new Set(heard);
    if (seen.size !== heard.length) throw new Broken(`${visit.name}: a broadcast came twice`, null, [visit]);
    for (const { body, echo, visit: sender, sentAt, outcome } of broadcasts) {
      const isOwn = sender === visit && !echo;
      if (isOwn && seen.has(body))
        throw new Broken(`${visit.name}: its own broadcast ${body} came without echo`, null, [visit]);
      const isThere = visit.readyAt < sentAt && Number.isNaN(visit.endedAt);
      if (isThere && !isOwn && outcome !== undefined && !("refused" in outcome) && !seen.has(body))
        throw new Broken(`${visit.name}: the broadcast ${body} did not come`, null, [visit]);
    }
  }
}

/** A page is a piece of the channel as it was, and `complete` only if nothing of it is missing. */
function checkHistory(visit: Visit, truth: ChannelTruth): void {
  for (const entry of visit.trace) {
    if (entry.type !== "ack" || entry.request.event !== "history" || entry.request.channel !== truth.name)
      continue;
    const { ok, messages, offset, complete } = entry.answer;
    if (ok !== true) {
      if (visit.key === 0) continue;
      throw truth.broken(`${visit.name}: history was refused: ${JSON.stringify(entry.answer)}`, visit);
    }
    if (visit.key === 0) throw truth.broken(`${visit.name}: history without the right`, visit);
    const offsets = Array.isArray(messages)
      ? messages.map((message) => Number(toRecord(message)["offset"]))
      : [];
    const isWhole = offsets.every((one, index) => one === (offsets[0] ?? 0) + index);
    const isComplete = offsets.length === offset && (offsets[0] ?? 1) === 1;
    if (!isWhole || offsets.length > Math.max(truth.window, 0) || isComplete !== complete)
      throw truth.broken(
        `${visit.name}: history said ${offsets.join()} of ${offset}, complete: ${complete}`,
        visit,
      );
  }
}

/** The server ends a connection for a reason only. */
function checkEnd(record: GameRecord, visit: Visit): void {
  const closing = visit.trace.find(({ type }) => type === "closing");
  if (closing?.type !== "closing") return;
  const { code, at } = closing;
  const fault = (text: string): Broken => new Broken(`${visit.name}: ${text}`, null, [visit]);
  if (code === "taken_over") {
    const later = record.visits.some(
      (other) => other !== visit && other.clientId === visit.clientId && other.readyAt > visit.readyAt,
    );
    // The new connection's own side may hear of it a little later.
    if (!later) throw fault("it was taken over by nobody");
  } else if (code === "disabled_api_key") {
    if (
      !record.withdrawals.some(
        ({ key, channel, sentAt }) => key === visit.key && channel === "all" && sentAt < at,
      )
    )
      throw fault("its key was not disabled");
  } else if (code !== "slow_consumer") {
    throw fault(`it was closed: ${code}`);
  }
}

function grouped<T>(list: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of list) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
