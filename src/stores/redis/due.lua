#!lua flags=no-writes
-- Finds the timers that are due.
--
-- KEYS[1]  the partition's head
-- ARGV     limit
-- Answers  now in ms, due of the first timer that is left out or '', then id and due of each
-- Guarantee: none is early by the store's clock; ordered by due time, then by id.

local timers = KEYS[1] .. ':timers'
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
local rows = redis.call('ZRANGEBYSCORE', timers, '-inf', now, 'WITHSCORES', 'LIMIT', 0, ARGV[1])
local count = #rows / 2
local following = redis.call('ZRANGE', timers, count, count, 'WITHSCORES')
local answer = { now, following[2] or '' }
for index = 1, #rows do answer[index + 2] = rows[index] end
return answer
