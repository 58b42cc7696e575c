#!lua flags=allow-oom
-- Takes a partition under the next epoch.
--
-- KEYS[1]  the partition's head
-- ARGV     owner, lease in ms
-- Answers  epoch, now in ms, highest outbox seq ever used | nothing when another owner's lease still runs
-- Guarantee: of several that claim at once one wins; from then on commits of earlier epochs are refused.

local head = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HMGET', head, 'owner', 'until', 'seq')
if (tonumber(before[2]) or 0) > now and before[1] ~= ARGV[1] then return false end
local leaseUntil = string.format('%.0f', now + tonumber(ARGV[2]))
redis.call('HSET', head, 'owner', ARGV[1], 'until', leaseUntil)
local epoch = redis.call('HINCRBY', head, 'epoch', 1)
return { tostring(epoch), string.format('%.0f', now), before[3] or '0' }
