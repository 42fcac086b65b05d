-- KEYS: the ID, the Member, the buckets.
-- ARGV: the time or 0, the cooldown, the number, the rules.
local number = ARGV[3]
local values = redis.call('MGET', unpack(KEYS))
if values[1] then return 0 end -- This was heard before.
keep(KEYS[1], '', id_lasts)

local p = person(values[2])
charge_to(p, number, 0)
if number == '' then number = p.to end
for i = 3, #KEYS do
  local b = bucket(KEYS[i], values[i], ARGV[4], i - 2)
  if b.budget then
    add(b, -p.charged)
    b.known = now
    if p.charged > 0 or b.kind == ORGANIZATION then b.verified = b.verified + 1 end
    keep_bucket(b)
  end
end
trust(p, number)
p.charged, p.til, p.sends, p.unanswered, p.refusals = 0, 0, 0, 0, 0
keep_person(KEYS[2], p)
return 1
