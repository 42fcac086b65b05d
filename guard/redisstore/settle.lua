-- KEYS: the ID, the Member, the buckets; again for what the Send was about.
-- ARGV: the time or 0, the cooldown, the actual number, sent, refused, verified,
-- free, the rules of the first, and of what it was about.
local number, sent, refused, verified = ARGV[3], ARGV[4] == '1', ARGV[5] == '1', ARGV[6] == '1'
local free = ARGV[7] == '1'
local n = #ARGV[8] / 25
local values = redis.call('MGET', unpack(KEYS))
local taken = values[1]
keep(KEYS[1], '', id_lasts)
if not taken or #taken ~= 80 then return 0 end -- Nothing was counted, or this was settled before.
local _, _, _, trusted, charged, _, _, _, til, before = struct.unpack('<dddddddddd', taken)

local member = KEYS[2]
local p = person(values[2])
if p.charged == 0 then charged = 0 end -- A code was verified meanwhile, and it is given back.

local by_key = {} -- the buckets that change
local function buckets(first, last, rules)
  local list, has = {}, {}
  for i = first, last do
    local key = KEYS[i]
    by_key[key] = by_key[key] or bucket(key, values[i], rules, i - first + 1)
    list[#list + 1], has[key] = by_key[key], true
  end
  return list, has
end

local first, has = buckets(3, 2 + n, ARGV[8])
if not sent then
  for _, b in ipairs(first) do
    if counts(b, charged) > 0 then
      add(b, -1)
      keep_bucket(b)
    end
  end
  p.charged = math.max(0, p.charged - charged)
  p.unanswered = math.max(0, p.unanswered - 1)
  if refused then p.refusals = p.refusals + 1 end
  if p.til == til and p.refusals <= free_refusals then
    p.til = before
    p.sends = math.max(0, p.sends - 1)
  end
  keep_person(member, p)
  return 1
end

if KEYS[3 + n] ~= member then -- It was named in another way: the wait stays there, too.
  p.charged = math.max(0, p.charged - charged)
  keep_person(member, p)
  local named = p
  member, p = KEYS[3 + n], person(values[3 + n])
  sent_one(p, free)
  p.til = math.max(p.til, named.til)
  p.charged = p.charged + charged
end
if charged == 1 then charge_to(p, number, 1) end

local actual, actual_has = buckets(4 + n, #KEYS, ARGV[9])
local changed = {}
local function change(b, by)
  if by ~= 0 then
    add(b, by)
    changed[b] = true
  end
end
for _, b in ipairs(first) do
  if b.budget and not actual_has[b.key] then change(b, -charged) end
end
for _, b in ipairs(actual) do
  if b.budget and not has[b.key] then change(b, charged) end
end
if verified and p.unanswered <= patience then
  trust(p, number)
  p.charged = math.max(0, p.charged - charged)
  for _, b in ipairs(actual) do
    if b.budget then
      change(b, -charged)
      b.known, changed[b] = now, true
    end
  end
elseif trusted == 1 and number ~= '' and number ~= p.number then -- It went to a number that nobody verified.
  p.trusted = 0
  charge_to(p, number, 0)
  p.charged = p.charged + 1
  for _, b in ipairs(actual) do
    if b.budget then change(b, 1) end
  end
end
for b in pairs(changed) do keep_bucket(b) end
keep_person(member, p)
return 1
