#!lua flags=allow-oom
-- Extends the lease of a partition's present epoch; with no time left, ends it.
--
-- KEYS[1]  the partition's head
-- ARGV     epoch, lease in ms (0: the lease ends)
-- Answers  now in ms, and what was found: epoch, sequence, last commit id, base (the lowest of all claims since
--          that epoch)
-- Guarantee: an owner that was replaced changes nothing.

local head = KEYS[1]
local found = redis.call('HMGET', head, 'epoch', 'sequence', 'commit', 'base')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lease = tonumber(ARGV[2])
if found[1] == ARGV[1] then
  redis.call('HSET', head, 'until', lease > 0 and string.format('%.0f', now + lease) or '0')
end
local base = found[4] or '0'
if tonumber(ARGV[1]) > 0 and tonumber(ARGV[1]) < (tonumber(found[1]) or 0) then
  for slot = 0, 15 do
    local claimed, at = string.match(redis.call('HGET', head, 'claim:' .. slot) or '', '(%d+) (%d+)')
    if claimed and tonumber(claimed) > tonumber(ARGV[1]) and tonumber(at) < tonumber(base) then base = at end
  end
end
return { string.format('%.0f', now), found[1] or '0', found[2] or '0', found[3] or '', base }
