-- The rules of package guard (rules.go and memory.go there), for Redis: the tests
-- hold the two together. This part stands in front of each script.

local day, trust_lasts = 86400000, 30 * 86400000
local max_doublings, free_refusals, proving_codes = 6, 5, 20
local shares = {0.2, 0.5, 0.8, 1}
local id_lasts = 600000

local now, cooldown = tonumber(ARGV[1]), tonumber(ARGV[2])
if now == 0 then
  local t = redis.call('TIME')
  now = t[1] * 1000 + math.floor(t[2] / 1000)
end

local function wait(sends)
  return cooldown * 2 ^ math.min(math.max(sends - 1, 0), max_doublings)
end

-- A person: at, until, sends, charged, refusals, trusted, number.

local function person(v)
  local p = {at = now, til = 0, sends = 0, charged = 0, refusals = 0, trusted = 0, number = ''}
  if not v then return p end
  p.at, p.til, p.sends, p.charged, p.refusals, p.trusted, p.number = struct.unpack('<ddddddBc0', v)
  local past = math.max(0, now - p.at)
  if past >= day then p.sends, p.charged = 0, 0 end
  p.refusals = math.max(0, p.refusals - free_refusals * past / day)
  p.til = math.min(p.til, now + wait(p.sends))
  p.trusted = math.min(p.trusted, now + trust_lasts)
  p.back = p.at > now
  p.at = now
  return p
end

local function keep_person(key, p)
  local v = struct.pack('<ddddddBc0', p.at, p.til, p.sends, p.charged, p.refusals, p.trusted, #p.number, p.number)
  redis.call('SET', key, v, 'PX', math.max(p.trusted - now, day))
end

-- A rule comes packed. A count: at, sms, verified, known.

local function rule(packed)
  local r = {}
  r.max, r.leak, r.growth, r.budget, r.shared, r.evidence, r.soft, r.number = struct.unpack('<dddBBBBB', packed)
  r.budget, r.shared, r.soft, r.number = r.budget == 1, r.shared == 1, r.soft == 1, r.number == 1
  return r
end

local function count(v, r)
  local c = {sms = 0, verified = 0, known = 0}
  if not v then return c end
  local at
  at, c.sms, c.verified, c.known = struct.unpack('<dddd', v)
  local past, before = math.max(0, now - at) / day, c.verified
  c.verified = before * math.exp(-past)
  c.sms = math.max(0, c.sms - r.leak * past - r.growth * (before - c.verified))
  c.known = math.min(c.known, now)
  return c
end

local function keep_count(key, c, r, n)
  c.sms = math.max(0, c.sms + n)
  if r.soft then c.sms = math.min(c.sms, 2 * r.max) end
  local lasts = math.ceil(c.sms / math.max(r.leak, 0.001) * day)
  if r.budget then lasts = math.max(lasts + day, c.known + trust_lasts - now) end
  if lasts > 0 then
    redis.call('SET', key, struct.pack('<dddd', now, c.sms, c.verified, c.known), 'PX', math.min(lasts, 366 * day))
  else
    redis.call('DEL', key)
  end
end

-- speaks reports whether a bucket speaks for a Send.
local function speaks(c, r)
  if r.soft then return c.sms + 1 <= r.max + r.growth * c.verified end
  return c.known > 0 and now - c.known < trust_lasts
end

-- trust notes that the number is the Member's, if that is proved or known.
local function trust(p, number, proof)
  if proof or p.trusted > now and p.number == number then
    p.trusted, p.number = now + trust_lasts, number
  end
end

-- counts is what a Send counts in a bucket: charged is 1 or 0.
local function counts(r, charged)
  if r.budget then return charged end
  return 1
end

local function add(key, r, n)
  if n ~= 0 then keep_count(key, count(redis.call('GET', key), r), r, n) end
end

-- proves reports whether a code verified on a number speaks for others.
local function proves(keys, rules)
  for i, r in ipairs(rules) do
    if r.budget and r.number then
      return count(redis.call('GET', keys[i]), r).verified < proving_codes
    end
  end
  return true
end
