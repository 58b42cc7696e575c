#!lua flags=no-writes
-- Reads the message ids that an instance remembers.
--
-- KEYS[1]  the partition's head
-- ARGV     key of the instance
-- Answers  id and time of acceptance in ms of each, oldest first
-- Guarantee: sees all of a commit or nothing, also of one that gives the inbox a key of its own.

local name = KEYS[1] .. ':i:' .. ARGV[1]
local text = redis.call('GETRANGE', name, 0, 1023)
if text == '' then return {} end
local terms, inbox, start = text:match('^%d+ %d+ %d+ (%d+) (%S+) %S+()')
if not terms then error({ err = 'CORRUPT ' .. name }) end
if inbox == '+' then return redis.call('ZRANGE', KEYS[1] .. ':m:' .. ARGV[1], 0, -1, 'WITHSCORES') end
local first = start + terms
local last = first + inbox - 1
if last > #text then text = redis.call('GETRANGE', name, 0, last - 1) end
local answer = {}
for id, at in text:sub(first, last):gmatch('\n([^ ]*) (%d+)') do
  answer[#answer + 1], answer[#answer + 2] = id, at
end
return answer
