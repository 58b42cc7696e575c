#!lua flags=no-writes
-- Looks at a partition from outside.
--
-- KEYS[1]  the partition's head
-- Answers  now in ms, epoch, owner, end of the lease in ms, outbox entries, timers, first due in ms or '', dead letters
-- Guarantee: changes nothing.

local head = KEYS[1]
local time = redis.call('TIME')
local fields = redis.call('HMGET', head, 'epoch', 'owner', 'until')
local first = redis.call('ZRANGE', head .. ':timers', 0, 0, 'WITHSCORES')
return {
  string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
  fields[1] or '0',
  fields[2] or '',
  fields[3] or '0',
  tostring(redis.call('ZCARD', head .. ':outbox')),
  tostring(redis.call('ZCARD', head .. ':timers')),
  first[2] or '',
  tostring(redis.call('ZCARD', head .. ':letters')),
}
