#!lua flags=no-writes
-- Says which of some messages an instance has handled, as far as it remembers.
--
-- KEYS[1]  the partition's head
-- ARGV     key of the instance, ids of messages
-- Answers  those of the ids that it knows, in the same order
-- Guarantee: sees all of a commit or nothing, also of one that gives the inbox a key of its own. However many ids
-- there are in the inbox, it costs the same.

local name = KEYS[1] .. ':i:' .. ARGV[1]
local text = redis.call('GETRANGE', name, 0, 1023)
if text == '' then return {} end
local terms, inbox, start = text:match('^%d+ %d+ %d+ (%d+) (%S+) %S+()')
if not terms then error({ err = 'CORRUPT ' .. name }) end
local answer = {}
if inbox == '+' then
  for index = 2, #ARGV do
    if redis.call('ZSCORE', KEYS[1] .. ':m:' .. ARGV[1], ARGV[index]) then answer[#answer + 1] = ARGV[index] end
  end
  return answer
end
local first = start + terms
local ends = first + inbox
if ends - 1 > #text then text = redis.call('GETRANGE', name, 0, ends - 2) end
inbox = text:sub(first, ends - 1)
for index = 2, #ARGV do
  if inbox:find('\n' .. ARGV[index] .. ' ', 1, true) then answer[#answer + 1] = ARGV[index] end
end
return answer
