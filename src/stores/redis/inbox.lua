#!lua flags=no-writes
-- Reads a page of the message ids that an instance remembers.
--
-- KEYS[1]  the partition's head
-- ARGV     key of the instance, how many, and behind which id (none: from the oldest on)
-- Answers  id and time of acceptance in ms of each, oldest first
-- Guarantee: sees all of a commit or nothing, also of one that gives the inbox a key of its own. An id that is no
-- longer there counts as the one before the oldest: what was forgotten was the oldest then.

local name, count, last = KEYS[1] .. ':i:' .. ARGV[1], tonumber(ARGV[2]), ARGV[3]
local text = redis.call('GETRANGE', name, 0, 1023)
if text == '' then return {} end
local terms, inbox, start = text:match('^%d+ %d+ %d+ (%d+) (%S+) %S+()')
if not terms then error({ err = 'CORRUPT ' .. name }) end
if inbox == '+' then
  local apart = KEYS[1] .. ':m:' .. ARGV[1]
  local rank = last and redis.call('ZRANK', apart, last)
  local from = rank and rank + 1 or 0
  return redis.call('ZRANGE', apart, from, from + count - 1, 'WITHSCORES')
end
local first = start + terms
local ends = first + inbox
if ends - 1 > #text then text = redis.call('GETRANGE', name, 0, ends - 2) end
inbox = text:sub(first, ends - 1)
local answer = {}
local _, behind = inbox:find('\n' .. (last or '') .. ' ', 1, true)
if last and behind then inbox = inbox:sub(behind + 1) end
for id, at in inbox:gmatch('\n([^ ]*) (%d+)') do
  if #answer == 2 * count then break end
  answer[#answer + 1], answer[#answer + 2] = id, at
end
return answer
