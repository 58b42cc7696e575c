#!lua
-- Judges one batch of a partition and writes all of it, or nothing.
--
-- KEYS[1]  the partition's head; every other key begins with it and so has its hash tag (see README.md)
-- ARGV     epoch, commit id, inbox window in ms, highest outbox seq added (0: none), id of the commit before
--          ('*': any), then
--          instances:           count, each: key, expected version, version, '1' and record or '0' and '' (removed),
--                               inbox: count, each id and time of birth in ms or ''; ids to forget: count, ids;
--                               terms added: count, terms; terms removed: count, terms; history: count, entries
--          outbox removed:      count, each lowest and highest seq of a run
--          outbox added:        count, each seq and member
--          timers removed:      count, ids
--          timers armed:        count, each due in ms and id
--          dead letters removed: count, ids
--          dead letters added:  count, each id and entry
-- Answers  committed, now in ms, sequence | fenced or diverged, epoch, sequence, last commit id, base |
--          conflict, keys... | duplicate or too-old, (key, id)...
-- Guarantee: judged in the order commit id, epoch, commit before, versions, inbox, age. All is checked before anything is written
-- and no write can fail then: a script that throws half-way keeps what it wrote (`unpack` of 9,000 did). Records,
-- entries and terms are opaque: cjson turns [] into {} and rounds long numbers.

local head = KEYS[1]
local position = 5

local function take()
  position = position + 1
  return ARGV[position]
end

local function takeList(width)
  local list = {}
  for index = 1, tonumber(take()) * (width or 1) do list[index] = take() end
  return list
end

local function fail(text) error({ err = text }) end

-- Lua's stack holds some 8,000 values: long lists go in pieces, of an even size so that pairs stay whole.
local function inPieces(command, key, arguments)
  local changed = 0
  for first = 1, #arguments, 200 do
    local last = math.min(first + 199, #arguments)
    local reply = redis.call(command, key, unpack(arguments, first, last))
    if type(reply) == 'number' then changed = changed + reply end
  end
  return changed
end

-- Reading a key of another kind fails, here where nothing is written yet.
local known = {}
local function mustBe(command, key)
  if known[key] then return end
  known[key] = true
  redis.call(command, key)
end

local function storedOf(key)
  local name = head .. ':i:' .. key
  local text = redis.call('GETRANGE', name, 0, 511)
  if text == '' then return { version = '0', terms = '' } end
  local version, createdAt, bytes, start = text:match('^(%d+) (%S+) %S+ (%d+)\n()')
  if not version then fail('CORRUPT ' .. name) end
  local last = start - 1 + tonumber(bytes)
  if last > #text then text = redis.call('GETRANGE', name, 0, last - 1) end
  return { version = version, createdAt = createdAt, terms = text:sub(start, last) }
end

-- Terms stand before the record, each as its length in bytes, a colon and itself.
local function unpackTerms(packed)
  local terms, at = {}, 1
  while at <= #packed do
    local length, start = packed:match('^(%d+):()', at)
    if not length then fail('CORRUPT terms in ' .. head) end
    at = start + tonumber(length)
    terms[#terms + 1] = packed:sub(start, at - 1)
  end
  return terms
end

local function packTerms(terms)
  local packed = {}
  for index, term in ipairs(terms) do packed[index] = #term .. ':' .. term end
  return table.concat(packed)
end

local function indexOf(workflow, term) return head .. ':t:' .. workflow .. '/' .. term end

-- What becomes of the terms: `after` in full, `gone` and `new` as far as they differ from before.
local function changeTerms(write)
  local before, drop, has = unpackTerms(write.before.terms), {}, {}
  if not write.record then return { after = {}, gone = before, new = {} } end
  for _, term in ipairs(write.termsRemoved) do drop[term] = true end
  local change = { after = {}, gone = {}, new = {} }
  for _, term in ipairs(before) do
    local list = drop[term] and change.gone or change.after
    list[#list + 1] = term
    has[term] = not drop[term]
  end
  for _, term in ipairs(write.termsAdded) do
    if not has[term] then
      has[term] = true
      change.after[#change.after + 1] = term
      change.new[#change.new + 1] = term
    end
  end
  return change
end

local function takeInstance()
  local write = { key = take(), expected = take(), version = take() }
  local kept, record = take(), take()
  if kept == '1' then write.record = record end
  write.inbox, write.forget = takeList(2), takeList()
  write.termsAdded, write.termsRemoved, write.history = takeList(), takeList(), takeList()
  write.workflow, write.id = write.key:match('^([^/]*)/(.*)$')
  if not write.id then fail('BADARGS a key without a workflow: ' .. write.key) end
  write.before = storedOf(write.key)
  return write
end

local function takeBatch()
  local batch = { instances = {} }
  for index = 1, tonumber(take()) do batch.instances[index] = takeInstance() end
  batch.runsRemoved, batch.entriesAdded = takeList(2), takeList(2)
  batch.disarmed, batch.armed = takeList(), takeList(2)
  batch.lettersRemoved, batch.lettersAdded = takeList(), takeList(2)
  if position ~= #ARGV then fail('BADARGS ' .. position .. ' of ' .. #ARGV .. ' read') end
  return batch
end

local function refuseVersions(batch)
  local answer = { 'conflict' }
  for _, write in ipairs(batch.instances) do
    if write.before.version ~= write.expected then answer[#answer + 1] = write.key end
  end
  return #answer > 1 and answer or nil
end

local function refuseHandled(batch)
  local answer = { 'duplicate' }
  for _, write in ipairs(batch.instances) do
    local inbox, seen = head .. ':m:' .. write.key, {}
    for index = 1, #write.inbox, 2 do
      local id = write.inbox[index]
      local handled = seen[id] ~= nil or redis.call('ZSCORE', inbox, id)
      if handled and seen[id] ~= 'named' then
        answer[#answer + 1], answer[#answer + 2] = write.key, id
      end
      seen[id] = handled and 'named' or 'once'
    end
  end
  return #answer > 1 and answer or nil
end

local function refuseOld(batch, oldest)
  local answer = { 'too-old' }
  for _, write in ipairs(batch.instances) do
    for index = 1, #write.inbox, 2 do
      local bornAt = tonumber(write.inbox[index + 1])
      if bornAt and bornAt < oldest then
        answer[#answer + 1], answer[#answer + 2] = write.key, write.inbox[index]
      end
    end
  end
  return #answer > 1 and answer or nil
end

local function checkInstance(write)
  if #write.forget > 0 then mustBe('ZCARD', head .. ':m:' .. write.key) end
  if #write.history > 0 then mustBe('LLEN', head .. ':h:' .. write.key) end
  if not write.record or write.before.version == '0' then
    mustBe('ZCARD', head .. ':w:' .. write.workflow)
  end
  if write.record and #write.termsAdded + #write.termsRemoved == 0 then return end
  write.change = changeTerms(write)
  mustBe('HLEN', head .. ':c:' .. write.workflow)
  for _, term in ipairs(write.change.gone) do mustBe('ZCARD', indexOf(write.workflow, term)) end
  for _, term in ipairs(write.change.new) do mustBe('ZCARD', indexOf(write.workflow, term)) end
end

local function check(batch)
  for _, write in ipairs(batch.instances) do checkInstance(write) end
  if #batch.runsRemoved > 0 then mustBe('ZCARD', head .. ':outbox') end
  if #batch.disarmed + #batch.armed > 0 then mustBe('ZCARD', head .. ':timers') end
  if #batch.lettersRemoved + #batch.lettersAdded > 0 then
    mustBe('ZCARD', head .. ':letters')
    mustBe('HLEN', head .. ':letter-entries')
  end
  for index = 1, #batch.armed, 2 do
    local due = tonumber(batch.armed[index])
    if not due or due ~= due then fail('BADARGS due ' .. batch.armed[index]) end
  end
  for index = 1, #batch.entriesAdded, 2 do
    if not tonumber(batch.entriesAdded[index]) then fail('BADARGS seq') end
  end
end

-- Instances of a batch often share their terms: one ZADD or ZREM for each index, not for each instance.
local removed, added = {}, {}

local function gather(changes, index, workflow, term, ...)
  local change = changes[index]
  if not change then
    change = { workflow = workflow, term = term, arguments = {} }
    changes[index] = change
  end
  for _, argument in ipairs({ ... }) do change.arguments[#change.arguments + 1] = argument end
end

local function writeInstance(write, now)
  local key, workflow, id = write.key, write.workflow, write.id
  local existed = write.before.version ~= '0'
  local createdAt = existed and write.before.createdAt or now
  local change = write.change or { gone = {}, new = {} }
  for _, term in ipairs(change.gone) do gather(removed, indexOf(workflow, term), workflow, term, id) end
  if not write.record then
    redis.call('DEL', head .. ':i:' .. key, head .. ':m:' .. key, head .. ':h:' .. key)
    if existed then gather(removed, head .. ':w:' .. workflow, workflow, nil, id) end
    return
  end
  inPieces('RPUSH', head .. ':h:' .. key, write.history)
  local terms = write.change and packTerms(change.after) or write.before.terms
  local first = table.concat({ write.version, createdAt, now, #terms }, ' ')
  redis.call('SET', head .. ':i:' .. key, first .. '\n' .. terms .. write.record)
  if not existed then gather(added, head .. ':w:' .. workflow, workflow, nil, createdAt, id) end
  for _, term in ipairs(change.new) do
    gather(added, indexOf(workflow, term), workflow, term, createdAt, id)
  end
  inPieces('ZREM', head .. ':m:' .. key, write.forget)
  local accepted = {}
  for index = 1, #write.inbox, 2 do
    accepted[index], accepted[index + 1] = now, write.inbox[index]
  end
  inPieces('ZADD', head .. ':m:' .. key, accepted)
end

local function count(change, by)
  if not change.term or by == 0 then return end
  local counts = head .. ':c:' .. change.workflow
  if redis.call('HINCRBY', counts, change.term, by) <= 0 then
    redis.call('HDEL', counts, change.term)
  end
end

local function writeIndexes()
  for index, change in pairs(removed) do count(change, -inPieces('ZREM', index, change.arguments)) end
  for index, change in pairs(added) do count(change, inPieces('ZADD', index, change.arguments)) end
end

local function writeEffects(batch, now)
  for index = 1, #batch.runsRemoved, 2 do
    local lowest, highest = batch.runsRemoved[index], batch.runsRemoved[index + 1]
    redis.call('ZREMRANGEBYSCORE', head .. ':outbox', lowest, highest)
  end
  inPieces('ZADD', head .. ':outbox', batch.entriesAdded)
  inPieces('ZREM', head .. ':timers', batch.disarmed)
  inPieces('ZADD', head .. ':timers', batch.armed)
  inPieces('ZREM', head .. ':letters', batch.lettersRemoved)
  inPieces('HDEL', head .. ':letter-entries', batch.lettersRemoved)
  for index = 1, #batch.lettersAdded, 2 do
    local id, entry = batch.lettersAdded[index], batch.lettersAdded[index + 1]
    redis.call('ZADD', head .. ':letters', 'NX', now, id)
    redis.call('HSETNX', head .. ':letter-entries', id, entry)
  end
end

local last = redis.call('HMGET', head, 'epoch', 'commit', 'at', 'sequence', 'seq', 'base')
if last[2] == ARGV[2] then
  -- A write, though of nothing new: from Redis 7.2 on WAIT waits for what its own connection wrote.
  redis.call('HSET', head, 'commit', ARGV[2])
  return { 'committed', last[3], last[4] }
end
local found = { last[1] or '0', last[4] or '0', last[2] or '', last[6] or '0' }
if found[1] ~= ARGV[1] then return { 'fenced', unpack(found) } end
if ARGV[5] ~= '*' and found[3] ~= ARGV[5] then return { 'diverged', unpack(found) } end

local time = redis.call('TIME')
local milliseconds = time[1] * 1000 + math.floor(time[2] / 1000)
local now = string.format('%.0f', milliseconds)
local batch = takeBatch()
local refusal = refuseVersions(batch) or refuseHandled(batch)
  or refuseOld(batch, milliseconds - tonumber(ARGV[3]))
if refusal then return refusal end
check(batch)

for _, write in ipairs(batch.instances) do writeInstance(write, now) end
writeIndexes()
writeEffects(batch, now)
local sequence = string.format('%.0f', (tonumber(last[4]) or 0) + 1)
local highest = tonumber(ARGV[4]) > (tonumber(last[5]) or 0) and ARGV[4] or last[5] or '0'
redis.call('HSET', head, 'commit', ARGV[2], 'at', now, 'sequence', sequence, 'seq', highest)
return { 'committed', now, sequence }
