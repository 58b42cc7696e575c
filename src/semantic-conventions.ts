/**
 * Names and attributes of our spans. The messaging conventions of OpenTelemetry are still in development, so they
 * are copied here rather than imported: semantic conventions 1.45.0, RabbitMQ flavour. The `workflow.*` ones are ours.
 */
export const schemaUrl = "https://opentelemetry.io/schemas/1.45.0";

export const attribute = {
  messagingSystem: "messaging.system.name",
  operationType: "messaging.operation.type",
  destination: "messaging.destination.name",
  routingKey: "rabbitmq.destination.routing_key",
  messageId: "messaging.message.id",
  conversationId: "messaging.message.conversation_id",
  batchSize: "messaging.batch.message_count",
  errorType: "error.type",
  httpMethod: "http.request.method",
  httpRoute: "http.route",
  httpStatus: "http.response.status_code",
  machine: "workflow.machine.name",
  machineVersion: "workflow.machine.version",
  instance: "workflow.instance.id",
  instanceVersion: "workflow.instance.version",
  event: "workflow.event.type",
  stateFrom: "workflow.state.from",
  stateTo: "workflow.state.to",
  outcome: "workflow.outcome",
  duplicate: "workflow.duplicate",
  republished: "workflow.republished",
  partition: "workflow.partition",
  timer: "workflow.timer.name",
  activity: "workflow.activity.name",
  attempt: "workflow.activity.attempt",
  service: "workflow.service.name",
  previousTrace: "workflow.previous_trace_id",
} as const;

export const spanName = {
  /** A message leaves for `{exchange}:{routing key}`, or for a queue. */
  send: (destination: string) => `send ${destination}`,
  /** By the type of the event: the queue of a partition is one bucket of many and says nothing. */
  process: (type: string) => `process ${type}`,
  timer: "timer fired",
  activity: (workflow: string, activity: string) => `activity ${workflow}.${activity}`,
  /** Several messages of a partition that are worked on together. */
  receive: "receive batch",
  commit: "commit",
} as const;

/** The conventions' name for where a message goes: exchange and routing key, without empty parts. */
export function destinationName(exchange: string, routingKey: string): string {
  return exchange === "" ? routingKey : `${exchange}:${routingKey}`;
}
