#!lua flags=no-writes
-- Reads the history of an instance.
--
-- KEYS[1]  the partition's head
-- ARGV     key of the instance, first and last entry (the first of all is 0)
-- Answers  the entries, in order
-- Guarantee: sees all of a commit or nothing, also of one that gives the history a key of its own.

local name = KEYS[1] .. ':i:' .. ARGV[1]
local text = redis.call('GETRANGE', name, 0, 1023)
if text == '' then return {} end
local terms, inbox, history, start = text:match('^%d+ %d+ %d+ (%d+) (%S+) (%S+)()')
if not terms then error({ err = 'CORRUPT ' .. name }) end
if history == '+' then return redis.call('LRANGE', KEYS[1] .. ':h:' .. ARGV[1], ARGV[2], ARGV[3]) end
local at = start + terms + (inbox == '+' and 0 or inbox) + 1
local ends = at + history
if ends - 1 > #text then text = redis.call('GETRANGE', name, 0, ends - 2) end
local answer, index = {}, 0
while at < ends do
  local length, first = text:match('^(%d+):()', at)
  at = first + length
  if index >= tonumber(ARGV[2]) and index <= tonumber(ARGV[3]) then
    answer[#answer + 1] = text:sub(first, at - 1)
  end
  index = index + 1
end
return answer
