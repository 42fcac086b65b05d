-- KEYS: the Member, the buckets.
-- ARGV: the time or 0, the cooldown, the number, the rules.
local p = person(redis.call('GET', KEYS[1]))
local keys, rules = {}, {}
for i = 2, #KEYS do
  keys[i - 1], rules[i - 1] = KEYS[i], rule(ARGV[i + 2])
end
local proof = proves(keys, rules)
for i, r in ipairs(rules) do
  if r.budget then
    local c = count(redis.call('GET', keys[i]), r)
    if proof then c.known = now end
    if r.number or proof and p.charged > 0 then c.verified = c.verified + 1 end
    keep_count(keys[i], c, r, -p.charged)
  end
end
trust(p, ARGV[3], proof)
p.charged, p.til, p.sends, p.refusals = 0, 0, 0, 0
keep_person(KEYS[1], p)
return 1
