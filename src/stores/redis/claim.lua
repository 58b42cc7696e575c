#!lua flags=allow-oom
-- Takes a partition under the next epoch.
--
-- KEYS[1]  the partition's head
-- ARGV     owner, lease in ms, epoch that the new one must be above
-- Answers  epoch, now in ms, highest outbox seq ever used, and what was found: epoch, sequence, last commit id,
--          base (the lowest of all claims above that epoch) | nothing when another owner's lease still runs
-- Guarantee: of several that claim at once one wins; from then on commits of earlier epochs are refused.

local head = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local before = redis.call('HMGET', head, 'owner', 'until', 'seq', 'epoch', 'sequence', 'commit', 'base')
if (tonumber(before[2]) or 0) > now and before[1] ~= ARGV[1] then return false end
local leaseUntil = string.format('%.0f', now + tonumber(ARGV[2]))
local found, sequence = before[4] or '0', before[5] or '0'
local epoch = string.format('%.0f', math.max(tonumber(found), tonumber(ARGV[3])) + 1)
local base = before[7] or '0'
if tonumber(ARGV[3]) > 0 then
  for slot = 0, 15 do
    local claimed, at = string.match(redis.call('HGET', head, 'claim:' .. slot) or '', '(%d+) (%d+)')
    if claimed and tonumber(claimed) > tonumber(ARGV[3]) and tonumber(at) < tonumber(base) then base = at end
  end
end
-- Each in a small field of its own, so that the head stays a listpack.
local slot = string.format('claim:%.0f', tonumber(epoch) % 16)
redis.call('HSET', head, 'owner', ARGV[1], 'until', leaseUntil, 'epoch', epoch, 'base', sequence, slot, epoch .. ' ' .. sequence)
local now = string.format('%.0f', now)
return { epoch, now, before[3] or '0', found, sequence, before[6] or '', base }
