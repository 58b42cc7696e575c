#!lua flags=no-writes
-- Finds instances of a workflow in one partition, newest first.
--
-- KEYS[1]  the partition's head
-- ARGV     workflow, position: time of creation in ms and id ('' and '': from the newest on),
--          only when written after this time in ms ('': any time), limit, most entries to look at, terms...
-- Answers  'done' or 'more', the position that was reached, then time of creation and id of each that was found
-- Guarantee: changes nothing, and looks at no more entries than it may: who gets 'more' asks again from there.

local head, workflow, at, id = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local after, limit, budget = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

-- The shortest index leads, the others are asked.
local leading, length = head .. ':w:' .. workflow, nil
local others = {}
for position = 7, #ARGV do
  local index = head .. ':t:' .. workflow .. '/' .. ARGV[position]
  local size = redis.call('ZCARD', index)
  if not length or size < length then
    if length then others[#others + 1] = leading end
    leading, length = index, size
  else
    others[#others + 1] = index
  end
end

-- Lua compares text by the server's locale, Redis orders members by their bytes.
local function isBelow(one, other)
  for index = 1, math.min(#one, #other) do
    local byte, otherByte = one:byte(index), other:byte(index)
    if byte ~= otherByte then return byte < otherByte end
  end
  return #one < #other
end

-- The rank of the first entry below the position, whether or not what stood there still does.
local function firstBelow()
  if at == '' then return 0 end
  local low = redis.call('ZCOUNT', leading, '(' .. at, '+inf')
  local high = low + redis.call('ZCOUNT', leading, at, at)
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZREVRANGE', leading, middle, middle)[1]
    if isBelow(member, id) then high = middle else low = middle + 1 end
  end
  return low
end

local function fits(member)
  for _, index in ipairs(others) do
    if not redis.call('ZSCORE', index, member) then return false end
  end
  if not after then return true end
  local text = redis.call('GETRANGE', head .. ':i:' .. workflow .. '/' .. member, 0, 63)
  local updatedAt = text:match('^%d+ %S+ (%S+)')
  return updatedAt ~= nil and tonumber(updatedAt) > after
end

local answer = { 'done', at, id }
local rank = firstBelow()
local found, seen = 0, 0
while seen < budget do
  local rows = redis.call('ZREVRANGE', leading, rank, rank + 99, 'WITHSCORES')
  if #rows == 0 then return answer end
  for index = 1, #rows, 2 do
    answer[2], answer[3] = rows[index + 1], rows[index]
    if fits(rows[index]) then
      answer[#answer + 1], answer[#answer + 2] = rows[index + 1], rows[index]
      found = found + 1
      if found >= limit then return answer end
    end
  end
  rank = rank + #rows / 2
  seen = seen + #rows / 2
end
answer[1] = 'more'
return answer
