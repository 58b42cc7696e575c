/** Which properties a content header has, by the bits that AMQP 0-9-1 gives them, in the order they are written. */
export const propertyFlags = {
  contentType: 1 << 15,
  contentEncoding: 1 << 14,
  headers: 1 << 13,
  deliveryMode: 1 << 12,
  priority: 1 << 11,
  correlationId: 1 << 10,
  replyTo: 1 << 9,
  expiration: 1 << 8,
  messageId: 1 << 7,
  timestamp: 1 << 6,
  type: 1 << 5,
  userId: 1 << 4,
  appId: 1 << 3,
  clusterId: 1 << 2,
  /** Says that more flags follow, or nothing that anybody knows. */
  unknown: 3,
} as const;
