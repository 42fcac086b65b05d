-- KEYS: the ID, the Member, the buckets; again for what the Send was about.
-- ARGV: the time or 0, the cooldown, the actual number, sent, refused, verified,
-- how many buckets the first have, the rules of all.
local taken = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], '', 'PX', id_lasts)
if not taken or taken == '' then return 0 end -- Nothing was counted, or this was settled before.
local _, _, _, trusted, charged, _, _, _, til, before = struct.unpack('<dddddddddd', taken)

local number, sent, refused, verified, n = ARGV[3], ARGV[4] == '1', ARGV[5] == '1', ARGV[6] == '1', tonumber(ARGV[7])
local function buckets(first, last, argument)
  local keys, rules, has = {}, {}, {}
  for i = first, last do
    keys[#keys + 1], rules[#rules + 1], has[KEYS[i]] = KEYS[i], rule(ARGV[argument + i - first]), true
  end
  return keys, rules, has
end

local member = KEYS[2]
local p = person(redis.call('GET', member))
if p.charged == 0 then charged = 0 end -- A code was verified meanwhile, and it is given back.
local keys, rules, has = buckets(3, 2 + n, 8)
if not sent then
  for i, key in ipairs(keys) do add(key, rules[i], -counts(rules[i], charged)) end
  p.charged = math.max(0, p.charged - charged)
  if refused then p.refusals = p.refusals + 1 end
  if p.til == til and p.refusals <= free_refusals then
    p.til = before
    p.sends = math.max(0, p.sends - 1)
  end
  keep_person(member, p)
  return 1
end

local actual = KEYS[3 + n]
if actual ~= member then -- It was named in another way: the wait stays there, too.
  p.charged = math.max(0, p.charged - charged)
  keep_person(member, p)
  local other = person(redis.call('GET', actual))
  other.sends = other.sends + 1
  other.til = math.max(other.til, p.til)
  p, member = other, actual
  p.charged = p.charged + charged
end

local actual_keys, actual_rules, actual_has = buckets(4 + n, #KEYS, 8 + n)
for i, key in ipairs(keys) do
  if not actual_has[key] then add(key, rules[i], -counts(rules[i], charged)) end
end
for i, key in ipairs(actual_keys) do
  if not has[key] then add(key, actual_rules[i], counts(actual_rules[i], charged)) end
end
if verified then
  local proof = proves(actual_keys, actual_rules)
  trust(p, number, proof)
  p.charged = math.max(0, p.charged - charged)
  for i, r in ipairs(actual_rules) do
    if r.budget then
      local c = count(redis.call('GET', actual_keys[i]), r)
      if proof then c.known = now end
      keep_count(actual_keys[i], c, r, -charged)
    end
  end
elseif trusted == 1 and number ~= '' and number ~= p.number then -- It went to a number that nobody verified.
  p.trusted = 0
  p.charged = p.charged + 1
  for i, r in ipairs(actual_rules) do
    if r.budget then add(actual_keys[i], r, 1) end
  end
end
keep_person(member, p)
return 1
