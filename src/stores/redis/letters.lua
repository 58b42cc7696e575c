#!lua flags=no-writes
-- Reads dead letters of one partition, oldest first.
--
-- KEYS[1]  the partition's head
-- ARGV     time in ms ('': from the oldest on), what of that very time follows: 'all', 'none' or 'after', id, limit
-- Answers  id, time in ms and entry of each
-- Guarantee: changes nothing.

local letters, at, tied, id = KEYS[1] .. ':letters', ARGV[1], ARGV[2], ARGV[3]

-- Lua compares text by the server's locale, Redis orders members by their bytes.
local function isBelow(one, other)
  for index = 1, math.min(#one, #other) do
    local byte, otherByte = one:byte(index), other:byte(index)
    if byte ~= otherByte then return byte < otherByte end
  end
  return #one < #other
end

-- The rank of the first that follows, whether or not the one before it is still there.
local function firstAfter()
  if at == '' then return 0 end
  local low = redis.call('ZCOUNT', letters, '-inf', '(' .. at)
  if tied == 'all' then return low end
  local high = redis.call('ZCOUNT', letters, '-inf', at)
  if tied == 'none' then return high end
  while low < high do
    local middle = math.floor((low + high) / 2)
    local member = redis.call('ZRANGE', letters, middle, middle)[1]
    if isBelow(id, member) then high = middle else low = middle + 1 end
  end
  return low
end

local limit = tonumber(ARGV[4])
local answer = {}
if limit < 1 then return answer end
local first = firstAfter()
local rows = redis.call('ZRANGE', letters, first, first + limit - 1, 'WITHSCORES')
for index = 1, #rows, 2 do
  local entry = redis.call('HGET', KEYS[1] .. ':letter-entries', rows[index])
  answer[#answer + 1], answer[#answer + 2], answer[#answer + 3] = rows[index], rows[index + 1], entry
end
return answer
