#!lua
-- Judges one batch of a partition and writes all of it, or nothing.
--
-- KEYS[1]  the partition's head; every other key begins with it and so has its hash tag (see README.md)
-- ARGV     epoch, commit id, inbox window in ms, highest outbox seq added (0: none), id of the commit before
--          ('*': any), earliest birth of a message in ms ('': none is known), then
--          instances:           count, each: key, expected version, version ('': removed), record, how many stand in
--                               each of its lists (five digits, or five numbers with spaces between), and the lists:
--                               messages, messages to forget, terms added, terms removed, history; message ids are
--                               between a line feed and a space, terms behind a line feed
--          indexes:             count, each: name, how many removed, how many added, ids to remove,
--                               then (which of the instances, its id) to add
--          outbox removed:      count, each lowest and highest seq of a run
--          outbox added:        count, each seq and member, in the order of their seqs
--          timers removed:      count, ids
--          timers armed:        count, each due in ms and id
--          dead letters removed: count, ids
--          dead letters added:  count, each id and entry
-- Answers  committed, now in ms, sequence | fenced or diverged, epoch, sequence, last commit id, base |
--          conflict, keys... | duplicate, (key, id)... | too-old, the earliest birth that would do
-- Guarantee: judged in the order commit id, epoch, commit before, versions, inbox, age. All is checked before anything
-- is written and no write can fail then: a script that throws half-way keeps what it wrote (`unpack` of 9,000 did).
-- Cost: Lua here hashes every byte of every text that it makes (1.5 ns each), and a call of Redis costs about 1 us.
-- So records are never read, all of an instance is made in one go, and what a batch has in common is one call.

local call, head, last = redis.call, KEYS[1], nil
local find, match, sub, gsub, format, concat = string.find, string.match, string.sub, string.gsub, string.format, table.concat
-- What has grown past `inlineBytes` lies under a key of its own from then on, which the instance marks by this.
local apart, inlineBytes = '+', 512
local now, position = nil, 7

local function fail(text) error({ err = text }) end

-- Reading a key of another kind fails, here where nothing is written yet.
local sizes = {}
local function sizeOf(command, key)
  local size = sizes[key]
  if not size then
    size = call(command, key)
    sizes[key] = size
  end
  return size
end

-- What is to be written: names and values of instances, keys to remove, changes of other keys, those of indexes.
local values, gone, changes, indexChanges = {}, {}, {}, {}

local function change(probe, command, key, list, first, final)
  if final < first then return end
  sizeOf(probe, key)
  changes[#changes + 1] = { command, key, list, first, final }
end

-- Which terms a workflow has is written only where the first instance comes under one, or the last one goes.
local function changeIndex(name, command, list, first, final)
  local key, isCounted = head .. ':' .. name, false
  local size = sizeOf('ZCARD', key)
  if command == 'ZADD' then isCounted = size == 0 else isCounted = list ~= ARGV or size <= final - first + 1 end
  local workflow = isCounted and match(name, '^t:([^/]*)/')
  if workflow then sizeOf('SCARD', head .. ':terms:' .. workflow) end
  indexChanges[#indexChanges + 1] = { key, command, list, first, final, name }
end

-- The text without those of its parts that stand in this range of ARGV.
local function without(text, pattern, first, final)
  if text == '' or final < first then return text end
  local drop = {}
  for index = first, final do drop[ARGV[index]] = '' end
  return (gsub(text, pattern, drop))
end

-- What is kept of it, what is added, and when: three texts for who joins them.
local function inboxAfter(inbox, key, first, forget, after)
  local entries, added, at, isInline = {}, '', '', inbox ~= apart
  if not isInline then
    for index = forget, after - 1 do entries[#entries + 1] = sub(ARGV[index], 2, -2) end
    change('ZCARD', 'ZREM', head .. ':m:' .. key, entries, 1, #entries)
    entries, inbox = {}, ''
  else
    inbox = without(inbox, '(\n[^ ]* )%d+', forget, after - 1)
  end
  if forget > first then
    local lines = {}
    for index = first, forget - 2 do lines[#lines + 1] = ARGV[index] .. now end
    added, at = concat(lines) .. ARGV[forget - 1], now
  end
  if isInline and #inbox + #added + #at <= inlineBytes then return inbox, added, at end
  for id, time in string.gmatch(inbox .. added .. at, '\n([^ ]*) (%d+)') do
    entries[#entries + 1], entries[#entries + 2] = time, id
  end
  change('ZCARD', 'ZADD', head .. ':m:' .. key, entries, 1, #entries)
  return apart, '', ''
end

-- While it lies with its instance, an entry is its length in bytes, a colon and itself. The same, in two texts.
local function historyAfter(history, key, first, final)
  if history ~= apart then
    local bytes = #history
    for index = first, final do bytes = bytes + #ARGV[index] end
    if bytes <= inlineBytes then
      for index = first, final - 1 do history = history .. #ARGV[index] .. ':' .. ARGV[index] end
      return history .. #ARGV[final] .. ':', ARGV[final]
    end
    local entries, at = {}, 1
    while at <= #history do
      local length, start = match(history, '^(%d+):()', at)
      at = start + length
      entries[#entries + 1] = sub(history, start, at - 1)
    end
    change('LLEN', 'RPUSH', head .. ':h:' .. key, entries, 1, #entries)
  end
  change('LLEN', 'RPUSH', head .. ':h:' .. key, ARGV, first, final)
  return apart, ''
end

local function prepareRemoval(key, terms)
  local workflow, id = match(key, '^([^/]*)/(.*)$')
  for _, kind in ipairs({ ':i:', ':m:', ':h:' }) do gone[#gone + 1] = head .. kind .. key end
  for term in string.gmatch(terms, '\n([^\n]*)') do
    changeIndex('t:' .. workflow .. '/' .. term, 'ZREM', { id }, 1, 1)
  end
end

local conflicts, duplicates = { 'conflict' }, { 'duplicate' }

local function judgeInbox(inbox, key, first, final)
  local seen = final > first and {}
  for index = first, final do
    local id = ARGV[index]
    local handled = seen and seen[id]
    local isNew = handled ~= 'named'
    if not handled then
      if inbox ~= apart then handled = find(inbox, id, 1, true)
      else handled = call('ZSCORE', head .. ':m:' .. key, sub(id, 2, -2)) end
    end
    if handled and isNew then duplicates[#duplicates + 1], duplicates[#duplicates + 2] = key, id end
    if seen then seen[id] = handled and 'named' or 'once' end
  end
end

local createdAt, instancePrefix = {}, head .. ':i:'

-- Judges one instance and prepares its write. It lies as 'version created updated bytes-of-terms bytes-of-inbox
-- bytes-of-history', then its terms and its inbox, each behind a line feed, a line feed, its history, its record;
-- what is apart is left out.
local function prepare(number)
  local at = position
  local key, counts, name = ARGV[at + 1], ARGV[at + 5], instancePrefix .. ARGV[at + 1]
  local messages, forget, added, removed, entries
  if #counts == 5 then
    messages, forget, added, removed, entries = string.byte(counts, 1, 5)
    messages, forget, added, removed, entries = messages - 48, forget - 48, added - 48, removed - 48, entries - 48
  else
    messages, forget, added, removed, entries = match(counts, '^(%d+) (%d+) (%d+) (%d+) (%d+)$')
  end
  messages = at + 6 + messages
  forget = messages + forget
  added = forget + added
  removed = added + removed
  position = removed + entries - 1

  local version, created, terms, inbox, history = '0', now, '', '', ''
  local text = call('GETRANGE', name, 0, inlineBytes - 1)
  if text ~= '' then
    local start
    version, created, terms, inbox, history, start = match(text, '^(%d+) (%d+) %d+ (%d+) (%S+) (%S+)()')
    if not version then fail('CORRUPT ' .. name) end
    local inboxAt = start + terms
    local inboxEnd = inbox == apart and inboxAt or inboxAt + inbox
    local final = history == apart and inboxEnd or inboxEnd + history
    if final > #text then text = call('GETRANGE', name, 0, final - 1) end
    terms = sub(text, start, inboxAt - 1)
    if inbox ~= apart then inbox = sub(text, inboxAt, inboxEnd - 1) end
    if history ~= apart then history = sub(text, inboxEnd + 1, final) end
  end
  createdAt[number] = created
  if version ~= ARGV[at + 2] then
    conflicts[#conflicts + 1] = key
    return
  end
  judgeInbox(inbox, key, at + 6, messages - 1)

  if ARGV[at + 3] == '' then
    if version ~= '0' then prepareRemoval(key, terms) end
    return
  end
  if removed > forget then
    terms = without(terms, '\n[^\n]*', forget, removed - 1) .. concat(ARGV, '', forget, added - 1)
  end
  local message, messageAt, entry = '', '', ''
  if forget > at + 6 then inbox, message, messageAt = inboxAfter(inbox, key, at + 6, messages, forget) end
  if position >= removed then history, entry = historyAfter(history, key, removed, position) end
  local inboxBytes, historyBytes = apart, apart
  if inbox == apart then inbox = '' else inboxBytes = format('%d', #inbox + #message + #messageAt) end
  if history == apart then history = '' else historyBytes = format('%d', #history + #entry) end
  values[#values + 1] = name
  values[#values + 1] = ARGV[at + 3] .. ' ' .. created .. ' ' .. now .. format(' %d ', #terms) .. inboxBytes .. ' '
    .. historyBytes .. terms .. inbox .. message .. messageAt .. '\n' .. history .. entry .. ARGV[at + 4]
end
