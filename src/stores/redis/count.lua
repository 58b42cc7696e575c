#!lua flags=no-writes
-- Counts the instances of a workflow in one partition.
--
-- KEYS[1]  the partition's head
-- ARGV     workflow, terms... (none: all that there are)
-- Answers  term and number of instances of each
-- Guarantee: changes nothing.

local head, workflow = KEYS[1], ARGV[1]
local terms, first = ARGV, 2
if #ARGV == 1 then terms, first = redis.call('SMEMBERS', head .. ':terms:' .. workflow), 1 end
local answer = {}
for index = first, #terms do
  local term = terms[index]
  answer[#answer + 1] = term
  answer[#answer + 1] = redis.call('ZCARD', head .. ':t:' .. workflow .. '/' .. term)
end
return answer
