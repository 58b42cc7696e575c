#!lua flags=allow-oom
-- Moves an armed timer.
--
-- KEYS[1]  the partition's head
-- ARGV     timer id, delay from now in ms
-- Answers  1 | 0 when it is not armed
-- Guarantee: never arms a timer that was removed.

local timers = KEYS[1] .. ':timers'
if not redis.call('ZSCORE', timers, ARGV[1]) then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', timers, 'XX', string.format('%.0f', now + tonumber(ARGV[2])), ARGV[1])
return 1
