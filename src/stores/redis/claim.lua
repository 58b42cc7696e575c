#!lua flags=allow-oom
-- Takes a partition under the next epoch.
--
-- KEYS[1]  the partition's head
-- ARGV     owner, lease in ms, epoch that the new one must be above
-- Answers  epoch, now in ms, highest outbox seq ever used, and what was found: epoch, sequence, last commit id,
--          base | nothing when another owner's lease still runs
-- Guarantee: of several that claim at once one wins; from then on commits of earlier epochs are refused.

local head = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HMGET', head, 'owner', 'until', 'seq', 'epoch', 'sequence', 'commit', 'base')
if (tonumber(before[2]) or 0) > now and before[1] ~= ARGV[1] then return false end
local leaseUntil = string.format('%.0f', now + tonumber(ARGV[2]))
local found, sequence = before[4] or '0', before[5] or '0'
local epoch = string.format('%.0f', math.max(tonumber(found), tonumber(ARGV[3])) + 1)
redis.call('HSET', head, 'owner', ARGV[1], 'until', leaseUntil, 'epoch', epoch, 'base', sequence)
local now = string.format('%.0f', now)
return { epoch, now, before[3] or '0', found, sequence, before[6] or '', before[7] or '0' }
