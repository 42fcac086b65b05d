-- KEYS: the ID, the Member, the buckets.
-- ARGV: the time or 0, the cooldown, the number, force, free, the rules.
local number, force, free = ARGV[3], ARGV[4] == '1', ARGV[5] == '1'
local values = redis.call('MGET', unpack(KEYS))
if values[1] then return values[1] end -- This was answered before.

local p = person(values[2])
local before = p.til
local trusted = p.trusted > now and (number == '' or number == p.number)
local allowed, by, left, most_count, most_max, most_verified = 1, -1, 0, 0, 0, 0
if p.til > now then allowed, left = 0, p.til - now end

local rules, cells, evidence = {}, {}, {}
if number == '' and p.charged == 0 then evidence[1] = true end
for i = 3, #KEYS do
  local r = rule(ARGV[i + 3])
  rules[i] = r
  if not (trusted and r.budget) then
    cells[i] = count(values[i], r)
    if speaks(cells[i], r) then evidence[r.evidence] = true end
  end
end
local share = shares[1 + (evidence[1] and 1 or 0) + (evidence[2] and 2 or 0)]

local charged = (trusted or free) and 0 or 1
for i = 3, #KEYS do
  local r = rules[i]
  local n = counts(r, charged)
  if n > 0 and not r.soft then
    local c = cells[i]
    local max = r.max + r.growth * c.verified
    if r.shared then max = max * share end
    if c.sms + n > max then
      local days = (c.sms + n - max) / (r.leak + r.growth * c.verified / 2)
      local w = day
      if days < 1 then w = math.max(1000, math.floor(days * day / 1000 + 0.5) * 1000) end
      if allowed == 1 or w > left then
        allowed, by, left = 0, i - 3, w
        most_count, most_max, most_verified = c.sms, max, c.verified
      end
    elseif allowed == 1 and r.budget and most_max == 0 then
      most_count, most_max, most_verified = c.sms + n, max, c.verified
    end
  end
end

local counted = allowed == 1 or force
if counted then
  p.sends = p.sends + 1
  p.til = now + wait(p.sends)
  p.charged = p.charged + charged
  keep_person(KEYS[2], p)
  for i = 3, #KEYS do
    local n = counts(rules[i], charged)
    if n > 0 then keep_count(KEYS[i], cells[i], rules[i], n) end
  end
else
  charged = 0
  if p.back then keep_person(KEYS[2], p) end -- or else the wait would begin anew with each Send
  if by >= 0 and rules[by + 3].budget then
    for i = 3, #KEYS do
      if rules[i].soft then keep_count(KEYS[i], cells[i], rules[i], 1) end
    end
  end
end
local verdict = struct.pack('<dddddddddd', allowed, by, left, trusted and 1 or 0, charged,
  most_count, most_max, most_verified, p.til, before)
if counted then redis.call('SET', KEYS[1], verdict, 'PX', id_lasts) end
return verdict
