#!lua flags=allow-oom
-- Extends the lease of a partition's present epoch; with no time left, ends it.
--
-- KEYS[1]  the partition's head
-- ARGV     epoch, lease in ms (0: the lease ends)
-- Answers  now in ms | nothing when the epoch is not the present one
-- Guarantee: an owner that was replaced changes nothing.

local head = KEYS[1]
if redis.call('HGET', head, 'epoch') ~= ARGV[1] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[2])
redis.call('HSET', head, 'until', lease > 0 and string.format('%.0f', now + lease) or '0')
return string.format('%.0f', now)
