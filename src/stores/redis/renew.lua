#!lua flags=allow-oom
-- Extends the lease of a partition's present epoch; with no time left, ends it.
--
-- KEYS[1]  the partition's head
-- ARGV     epoch, lease in ms (0: the lease ends)
-- Answers  now in ms, and what was found: epoch, sequence, last commit id, base
-- Guarantee: an owner that was replaced changes nothing.

local head = KEYS[1]
local found = redis.call('HMGET', head, 'epoch', 'sequence', 'commit', 'base')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[2])
if found[1] == ARGV[1] then
  redis.call('HSET', head, 'until', lease > 0 and string.format('%.0f', now + lease) or '0')
end
return { string.format('%.0f', now), found[1] or '0', found[2] or '0', found[3] or '', found[4] or '0' }
