#!lua flags=no-writes
-- Reads the store's clock.
--
-- KEYS[1]  any key: on a cluster its node is the one that is asked, always the same
-- Answers  now in ms
-- Guarantee: changes nothing.

local time = redis.call('TIME')
return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
