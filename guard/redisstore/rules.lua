-- The rules of guard/internal/counts (rules.go and memory.go), for Redis: the tests
-- hold the two together. This part stands in front of each script.

local day, trust_lasts = 86400000, 30 * 86400000
local patience, max_doublings, free_refusals = 5, 6, 5
local memory = 0.25
local shares = {0.2, 0.75, 0.9, 1}
local id_lasts = 600000

local now, cooldown = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end

-- sound reports whether the numbers can be times and counts. What another program
-- has written is as good as nothing.
local function sound(a, b, c, d)
  return a >= 0 and a < 1e15 and b >= 0 and b < 1e15 and c >= 0 and c < 1e15 and d >= 0 and d < 1e15
end

-- keep keeps a value for as long as it says something, or longer. Redis reads a
-- time that is text faster than a number.
local function keep(key, v, lasts)
  local time = '31622400000'
  if lasts <= id_lasts then
    time = '600000'
  elseif lasts <= day then
    time = '86400000'
  elseif lasts <= 4 * day then
    time = '345600000'
  elseif lasts <= 32 * day then
    time = '2764800000'
  end
  redis.call('SET', key, v, 'PX', time)
end

-- A person is stored as: at, until, sends, unanswered, charged, refusals, trusted,
-- number, to.

local function wait(sends)
  return cooldown * 2 ^ math.min(math.max(sends - 1, 0), max_doublings)
end

local function person(v)
  local second = v and #v >= 58 and 58 + v:byte(57)
  if not second or #v < second or #v ~= second + v:byte(second) then
    return {til = 0, sends = 0, unanswered = 0, charged = 0, refusals = 0, trusted = 0, number = '', to = '', back = false}
  end
  local at, til, sends, unanswered, charged, refusals, trusted, number, to = struct.unpack('<dddddddBc0Bc0', v)
  if not sound(at, til, sends, unanswered) or not sound(charged, refusals, trusted, 0) then return person() end
  local past = math.max(0, now - at)
  if past >= day then sends, charged = 0, 0 end
  return {
    til = math.min(til, now + wait(sends)),
    sends = sends,
    unanswered = unanswered,
    charged = charged,
    refusals = math.max(0, refusals - free_refusals * past / day),
    trusted = math.min(trusted, now + trust_lasts),
    number = number,
    to = to,
    back = at > now,
  }
end

local function keep_person(key, p)
  local v = struct.pack('<dddddddBc0Bc0', now, p.til, p.sends, p.unanswered, p.charged, p.refusals, p.trusted,
    #p.number, p.number, #p.to, p.to)
  keep(key, v, math.max(p.trusted - now, day))
end

-- charge_to notes the number that SMS go to. What went to another one is not given
-- back: the code of one phone says nothing of others.
local function charge_to(p, number, charged)
  if number ~= '' and p.to ~= number then
    p.charged, p.to = charged, number
  end
end

-- trust notes that the number is the Member's.
local function trust(p, number)
  p.trusted, p.number = now + trust_lasts, number
end

-- sent notes one more SMS.
local function sent_one(p, free)
  p.sends = p.sends + 1
  if not free then p.unanswered = p.unanswered + 1 end
end

-- A bucket comes with its rule, packed, and is stored as: at, sms, verified, known.

local LIMIT, ALL, NUMBER, ORGANIZATION, BLOCK = 0, 1, 2, 3, 4

-- kind is that of the i-th of the rules.
local function kind(rules, i) return rules:byte(i * 25) end

-- bucket has the i-th of the rules.
local function bucket(key, v, rules, i)
  local max, leak, growth, its_kind = struct.unpack('<dddB', rules, i * 25 - 24)
  local at, sms, verified, known = now, 0, 0, 0
  if v and #v == 32 then
    at, sms, verified, known = struct.unpack('<dddd', v)
    if not sound(at, sms, verified, known) then at, sms, verified, known = now, 0, 0, 0 end
  end
  if at < now then
    local past, before = (now - at) / day, verified
    if before > 0 then verified = before * math.exp(-past / memory) end
    sms = math.max(0, sms - leak * past - growth * (before - verified))
  end
  return {
    key = key, sms = sms, verified = verified, known = math.min(known, now),
    max = max, leak = leak, growth = growth, kind = its_kind, budget = its_kind ~= LIMIT,
  }
end

local function holds(b) return b.max + b.growth * b.verified end

-- add counts n SMS more, or less. What a budget counts without room, such as while
-- the Guard only observes, does not close it for longer.
local function add(b, n)
  local before = b.sms
  b.sms = math.max(0, before + n)
  if b.budget then b.sms = math.min(b.sms, math.max(before, holds(b))) end
end

local function keep_bucket(b)
  local lasts = b.sms / math.max(b.leak, 0.001) * day
  if b.budget then lasts = math.max(lasts + day, b.known + trust_lasts - now) end
  if lasts > 0 then
    keep(b.key, struct.pack('<dddd', now, b.sms, b.verified, b.known), lasts)
  else
    redis.call('DEL', b.key)
  end
end

-- evidence is what a bucket says for a Send: 1 a block, 2 an Organization.
local function evidence(b)
  if b.kind == BLOCK and b.sms + 1 <= holds(b) then return 1 end
  if b.kind == ORGANIZATION and b.known > 0 and now - b.known < trust_lasts and b.sms < 3 + b.verified then return 2 end
  return 0
end

-- counts is what a Send counts in a bucket: charged is 1 or 0.
local function counts(b, charged)
  if b.budget then return charged end
  return 1
end
