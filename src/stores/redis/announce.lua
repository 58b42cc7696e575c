#!lua flags=allow-oom
-- Says that a process lives, and forgets those that no longer do.
--
-- KEYS[1]  the hash of members: id -> end of life in ms, a space, its workflows
-- ARGV     id, time to live in ms, workflows
-- Answers  end of life now and before (0: it was not there), then id and workflows of each that lives
-- Guarantee: who is not announced again in time is gone, by the store's clock alone.

local members = KEYS[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local aliveUntil = string.format('%.0f', now + tonumber(ARGV[2]))
local before = (redis.call('HGET', members, ARGV[1]) or '0'):match('^%d+')
redis.call('HSET', members, ARGV[1], aliveUntil .. ' ' .. ARGV[3])
local all = redis.call('HGETALL', members)
local living = { aliveUntil, before }
for index = 1, #all, 2 do
  local ends, workflows = all[index + 1]:match('^(%d+) (.*)$')
  if tonumber(ends) > now then
    living[#living + 1], living[#living + 2] = all[index], workflows
  else
    redis.call('HDEL', members, all[index])
  end
end
return living
