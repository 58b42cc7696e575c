/** What a kind of problem is, apart from any one request. */
export interface ProblemKind {
  readonly status: 400 | 403 | 404 | 405 | 409 | 412 | 413 | 415 | 422 | 429 | 500 | 503 | 504;
  readonly title: string;
  /** What it means, as prose for the page that the problem's `type` resolves to. */
  readonly meaning: string;
  /** What the caller can do, unless the error itself says something closer to the case. */
  readonly action: string;
}

/** Every problem that the HTTP interface answers with, by its code. */
export const problemKinds = {
  "malformed-json": {
    status: 400,
    title: "The body is not JSON",
    meaning: "The body could not be read as one JSON value in UTF-8.",
    action: "Send one JSON value, encoded as UTF-8.",
  },
  "invalid-parameter": {
    status: 400,
    title: "A query parameter is not understood",
    meaning: "A query parameter is unknown, given twice, or has a value outside its range.",
    action: "Mend or remove the parameters listed under errors.",
  },
  "invalid-header": {
    status: 400,
    title: "A request header is not understood",
    meaning: "Idempotency-Key or If-Match has a form that cannot be honoured.",
    action: "Mend or remove the header listed under errors.",
  },
  "invalid-id": {
    status: 400,
    title: "The id is not allowed",
    meaning: "The id of an instance is 1 to 128 of the characters A-Z a-z 0-9 . _ : -.",
    action: "Use an id of 1 to 128 of the characters A-Z a-z 0-9 . _ : -.",
  },
  "invalid-cursor": {
    status: 400,
    title: "The cursor is not one of this list",
    meaning: "A cursor is opaque: it is `nextCursor` of the page before, unchanged.",
    action: "Pass nextCursor of the page before as it is, or leave it out to begin anew.",
  },
  "wrong-host": {
    status: 403,
    title: "The Host header names another machine",
    meaning:
      "The server listens on loopback only, and answers only to loopback names, so that no page of another site can reach it by pointing its own name at 127.0.0.1.",
    action: "Use localhost or 127.0.0.1 in the address.",
  },
  "cross-site": {
    status: 403,
    title: "The request comes from a page of another site",
    meaning: "A browser says that a page of another origin sent this request.",
    action: "Send it from a page of this server, or from a program.",
  },
  "unknown-workflow": {
    status: 404,
    title: "There is no such workflow",
    meaning: "No workflow of this name is registered.",
    action: "Ask GET /workflows for the names.",
  },
  "unknown-instance": {
    status: 404,
    title: "There is no such instance",
    meaning: "The workflow has no instance of this id, or its start is not handled yet.",
    action: "Check the id, or list the workflow's instances.",
  },
  "unknown-dead-letter": {
    status: 404,
    title: "There is no such dead letter",
    meaning: "No dead letter has this id; somebody may have sent it again or dropped it.",
    action: "List the dead letters.",
  },
  "not-found": {
    status: 404,
    title: "There is nothing at this address",
    meaning: "No route has this path.",
    action: "See /docs for the paths.",
  },
  "method-not-allowed": {
    status: 405,
    title: "The method is not allowed here",
    meaning: "The path exists, but not with this method. The Allow header names those it has.",
    action: "Use one of the methods in the Allow header.",
  },
  "not-accepted": {
    status: 409,
    title: "The present state does not accept the event",
    meaning:
      "The instance is in a state that has no transition for this event; nothing was changed.",
    action: "Send one of the events listed under accepts, or wait for another state.",
  },
  exists: {
    status: 409,
    title: "The instance exists already",
    meaning:
      "An instance of this id exists, started with another input, or the request rejects any.",
    action: "Use another id, the same input, or PUT with ?onConflict=use-existing.",
  },
  ended: {
    status: 409,
    title: "The instance has ended",
    meaning: "The instance reached a final state or was stopped, and takes no events any more.",
    action: "Look at its output, or start another instance.",
  },
  failed: {
    status: 409,
    title: "The instance has failed",
    meaning:
      "An earlier event threw in a guard or an action. The instance kept the state before it, and waits for an operator.",
    action: "Look at the dead letters of the instance, mend the definition, and retry.",
  },
  "not-failed": {
    status: 409,
    title: "The instance has not failed",
    meaning: "Only an instance whose status is failed can be retried.",
    action: "Look at its status; nothing has to be retried.",
  },
  suspended: {
    status: 409,
    title: "The instance is suspended already",
    meaning: "An operator has suspended the instance, and it holds back what comes for it.",
    action: "Resume it to let it go on.",
  },
  "not-suspended": {
    status: 409,
    title: "The instance is not suspended",
    meaning: "Only an instance that an operator has suspended can be resumed.",
    action: "Look at its status; nothing has to be resumed.",
  },
  held: {
    status: 409,
    title: "The event still waits in its instance",
    meaning:
      "The dead letter tells of the event that its instance has failed on. The event is first in line there, so sending it again would apply it twice.",
    action: "Retry the instance, or drop the dead letter to go on without the event.",
  },
  "not-redrivable": {
    status: 409,
    title: "The dead letter cannot be sent again",
    meaning: "The message was too large to be kept whole.",
    action: "Ask its sender for a smaller one, and drop the dead letter.",
  },
  "too-old": {
    status: 409,
    title: "The message is too old",
    meaning:
      "The message was first sent longer ago than handled messages are remembered, so it may have been handled before.",
    action: "Send it under a new Idempotency-Key if it is still meant.",
  },
  "version-mismatch": {
    status: 412,
    title: "The instance has another version",
    meaning: "If-Match names a version that the instance no longer has; nothing was changed.",
    action: "Read the instance again and decide anew.",
  },
  "too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "The body has more bytes than this server takes.",
    action: "Send less, or store the data elsewhere and send a reference to it.",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The content type is not JSON",
    meaning: "Requests that change something carry JSON and say so.",
    action: "Send the header Content-Type: application/json.",
  },
  "invalid-payload": {
    status: 422,
    title: "The data does not fit its schema",
    meaning: "The body is JSON, but not what the workflow's schema asks for.",
    action: "Mend what is listed under errors; GET /workflows/{workflow} shows the schemas.",
  },
  "reserved-type": {
    status: 422,
    title: "The event type is reserved",
    meaning: "Event types that start with xstate. or waybill. belong to the engine.",
    action: "Use another event type.",
  },
  overloaded: {
    status: 429,
    title: "The server has too much to do",
    meaning:
      "The backlog is at its limit, so new work is not taken for now; running instances go on.",
    action: "Send the same request again after the seconds in Retry-After.",
  },
  internal: {
    status: 500,
    title: "Something went wrong in the server",
    meaning: "The server met an error that it has no name for. Its log says more.",
    action: "Try again; if it stays, look into the server's log.",
  },
  "event-threw": {
    status: 500,
    title: "The event made the machine throw",
    meaning:
      "A guard or an action of the workflow's definition threw while it handled the event; nothing was changed.",
    action: "Mend the definition, or send another payload.",
  },
  "migration-needed": {
    status: 500,
    title: "The instance does not fit the definition",
    meaning:
      "The definition was changed without a new version, and the instance has a state or an activity that is gone.",
    action: "Give the changed definition a new version, and keep the old one beside it.",
  },
  "corrupt-record": {
    status: 500,
    title: "The stored instance cannot be read",
    meaning: "The store holds something for this instance that is not a record of it.",
    action: "Restore the instance from a backup, or remove it.",
  },
  "needs-code": {
    status: 503,
    title: "The instance's version is not registered here",
    meaning: "The instance runs on a version of its definition that this process does not have.",
    action: "Register that version beside the newer one until its instances have ended.",
  },
  unavailable: {
    status: 503,
    title: "The server cannot take work now",
    meaning: "The broker or the store is away; GET /readyz says which.",
    action: "Send the same request again after the seconds in Retry-After.",
  },
  deadline: {
    status: 504,
    title: "The outcome is not known yet",
    meaning:
      "The request was taken in, but its outcome did not arrive in time. It may still be handled.",
    action: "Send the same request with the same Idempotency-Key: it is handled once only.",
  },
} as const satisfies Readonly<Record<string, ProblemKind>>;

export type ProblemCode = keyof typeof problemKinds;

/** True for the code of a problem in the catalog. */
export function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(problemKinds, code);
}
