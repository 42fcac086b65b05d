-- KEYS: the ID, the Member, the buckets.
-- ARGV: the time or 0, the cooldown, the number, force, free, the rules.
local number, force, free, rules = ARGV[3], ARGV[4] == '1', ARGV[5] == '1', ARGV[6]
local values = redis.call('MGET', unpack(KEYS))
if values[1] then return values[1] end -- This was answered before.

local p = person(values[2])
local before = p.til
local trusted = p.trusted > now and p.unanswered < patience and (number == '' or number == p.number)
local allowed, by, left, most_count, most_max, most_verified = 1, -1, 0, 0, 0, 0
if p.til > now then allowed, left = 0, p.til - now end

local buckets, speaks = {}, {}
if number == '' and p.charged == 0 then speaks[1] = true end
for i = 3, #KEYS do
  if not (trusted and kind(rules, i - 2) ~= LIMIT) then
    local b = bucket(KEYS[i], values[i], rules, i - 2)
    b.index = i - 3
    speaks[evidence(b)] = true
    buckets[#buckets + 1] = b
  end
end
local share = shares[1 + (speaks[1] and 1 or 0) + (speaks[2] and 2 or 0)]

local charged = (trusted or free) and 0 or 1
local full
for _, b in ipairs(buckets) do
  local n = counts(b, charged)
  if n > 0 and b.kind <= NUMBER then
    local max = holds(b)
    if b.kind == ALL then max = max * share end
    if b.sms + n > max then
      local days = (b.sms + n - max) / (b.leak + b.growth * b.verified / 2)
      local w = day
      if days < 1 then w = math.max(1000, math.floor(days * day / 1000 + 0.5) * 1000) end
      if allowed == 1 or w > left then
        full, allowed, by, left = b, 0, b.index, w
        most_count, most_max, most_verified = b.sms, max, b.verified
      end
    elseif allowed == 1 and b.budget and most_max == 0 then
      most_count, most_max, most_verified = b.sms + n, max, b.verified
    end
  end
end

local counted = allowed == 1 or force
if counted then
  sent_one(p, free)
  p.til = now + wait(p.sends)
  if charged == 1 then charge_to(p, number, 0) end
  p.charged = p.charged + charged
  keep_person(KEYS[2], p)
else
  charged = 0
  if p.back then keep_person(KEYS[2], p) end -- or else the wait would begin anew with each Send
end
for _, b in ipairs(buckets) do
  local n = 0
  if counted then
    n = counts(b, charged)
  elseif b.kind == BLOCK and full and full.budget then
    n = 1
  end
  if n > 0 then
    add(b, n)
    keep_bucket(b)
  end
end
local verdict = struct.pack('<dddddddddd', allowed, by, left, trusted and 1 or 0, charged,
  most_count, most_max, most_verified, p.til, before)
if counted then keep(KEYS[1], verdict, id_lasts) end
return verdict
