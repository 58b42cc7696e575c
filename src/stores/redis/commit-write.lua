
-- The second half of a commit, behind commit.lua.

local function prepareIndexes()
  position = position + 1
  for _ = 1, tonumber(ARGV[position]) do
    local name, first = ARGV[position + 1], position + 4
    local added = first + ARGV[position + 2]
    position = added - 1
    if added > first then changeIndex(name, 'ZREM', ARGV, first, position) end
    if ARGV[first - 1] ~= '0' then
      local entries = {}
      position = position + 2 * ARGV[first - 1]
      for index = added, position, 2 do
        entries[index - added + 1] = createdAt[tonumber(ARGV[index])]
        entries[index - added + 2] = ARGV[index + 1]
      end
      changeIndex(name, 'ZADD', entries, 1, #entries)
    end
  end
end

-- Begin and end, in ARGV, of a list that stands behind its length.
local function span(width)
  local first, length = position + 2, ARGV[position + 1]
  position = position + 1
  if length ~= '0' then position = position + length * width end
  return first, position
end

-- Lua's stack holds some 8,000 values: long lists go in pieces, of an even size so that pairs stay whole.
local function inPieces(command, key, list, first, final)
  if final - first < 400 then return final < first and 0 or call(command, key, unpack(list, first, final)) end
  local changed = 0
  for from = first, final, 400 do
    changed = changed + call(command, key, unpack(list, from, math.min(from + 399, final)))
  end
  return changed
end

local function writeIndexes()
  local after, names = {}, {}
  for _, each in ipairs(indexChanges) do
    local key, command = each[1], each[2]
    local changed = inPieces(command, key, each[3], each[4], each[5])
    after[key] = (after[key] or sizes[key]) + (command == 'ZREM' and -changed or changed)
    names[key] = each[6]
  end
  for key, size in pairs(after) do
    if (size == 0) ~= (sizes[key] == 0) then
      local workflow, term = match(names[key], '^t:([^/]*)/(.*)$')
      if workflow then call(size == 0 and 'SREM' or 'SADD', head .. ':terms:' .. workflow, term) end
    end
  end
end

last = call('HMGET', head, 'epoch', 'commit', 'at', 'sequence', 'seq', 'base')
if last[2] == ARGV[2] then
  -- A write, though of nothing new: from Redis 7.2 on WAIT waits for what its own connection wrote.
  call('HSET', head, 'commit', ARGV[2])
  return { 'committed', last[3], last[4] }
end
local found = { last[1] or '0', last[4] or '0', last[2] or '', last[6] or '0' }
if found[1] ~= ARGV[1] then return { 'fenced', unpack(found) } end
if ARGV[5] ~= '*' and found[3] ~= ARGV[5] then return { 'diverged', unpack(found) } end

local time = call('TIME')
now = time[1] .. sub('00000' .. time[2], -6, -4)
for number = 1, tonumber(ARGV[7]) do prepare(number) end
if #conflicts > 1 then return conflicts end
if #duplicates > 1 then return duplicates end
if ARGV[6] ~= '' then
  local oldest = now - ARGV[3]
  if tonumber(ARGV[6]) < oldest then return { 'too-old', format('%.0f', oldest) } end
end

prepareIndexes()
local runs, runsEnd = span(2)
local entries, entriesEnd = span(2)
local disarmed, disarmedEnd = span(1)
local armed, armedEnd = span(2)
local removed, removedEnd = span(1)
local added, addedEnd = span(2)
if position ~= #ARGV then fail('BADARGS ' .. position .. ' of ' .. #ARGV .. ' read') end
if armedEnd > disarmedEnd + 1 or disarmedEnd >= disarmed then sizeOf('ZCARD', head .. ':timers') end
if addedEnd > removedEnd + 1 or removedEnd >= removed then
  sizeOf('ZCARD', head .. ':letters')
  sizeOf('HLEN', head .. ':letter-entries')
end

-- The first write of all may still fail: then nothing is written.
local outbox = head .. ':outbox'
for index = runs, runsEnd, 2 do call('ZREMRANGEBYSCORE', outbox, ARGV[index], ARGV[index + 1]) end
-- An entry takes the place of the one under its seq. A seq above the highest ever used is that of none.
if entriesEnd > entries and tonumber(ARGV[entries]) <= tonumber(last[5] or 0) then
  for index = entries, entriesEnd, 2 do call('ZREMRANGEBYSCORE', outbox, ARGV[index], ARGV[index]) end
end
inPieces('ZADD', outbox, ARGV, entries, entriesEnd)
for from = 1, #values, 400 do call('MSET', unpack(values, from, math.min(from + 399, #values))) end
-- A million ids took DEL 130 ms, in which nothing else is served.
for from = 1, #gone, 400 do call('UNLINK', unpack(gone, from, math.min(from + 399, #gone))) end
for _, each in ipairs(changes) do inPieces(unpack(each)) end
writeIndexes()
inPieces('ZREM', head .. ':timers', ARGV, disarmed, disarmedEnd)
inPieces('ZADD', head .. ':timers', ARGV, armed, armedEnd)
inPieces('ZREM', head .. ':letters', ARGV, removed, removedEnd)
inPieces('HDEL', head .. ':letter-entries', ARGV, removed, removedEnd)
for index = added, addedEnd, 2 do
  call('ZADD', head .. ':letters', 'NX', now, ARGV[index])
  call('HSETNX', head .. ':letter-entries', ARGV[index], ARGV[index + 1])
end
local sequence = format('%d', (last[4] or 0) + 1)
local highest = tonumber(ARGV[4]) > tonumber(last[5] or 0) and ARGV[4] or last[5] or '0'
call('HSET', head, 'commit', ARGV[2], 'at', now, 'sequence', sequence, 'seq', highest)
return { 'committed', now, sequence }
