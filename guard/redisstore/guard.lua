-- The rules of guard/internal/counts (rules.go and memory.go), for Redis: the tests
-- hold the two together.
--
-- KEYS: the Member, the Organization, the pool, the number, and the limits. All have
-- one hash tag. Where the event names no number, the one that the Member is known by
-- is looked up, so its key is not among them.
-- ARGV: kind, at, cooldown, number, the prefix of numbers' keys, ID, four flags, and
-- of each limit its max and milliseconds for one.

local second, hour, day = 1000, 3600000, 86400000
local trust_lasts, max_doublings, pool_wait = 90 * day, 6, 300 * second
local of_trusted, entered, kept = 2, 1 / 3, 80
local POOL = {holds = 290, one = hour}
local NUMBERS = {holds = 8, one = 12 * hour}
local CODES = {holds = 50, one = day / 50}
local GUESSES = {holds = 10, one = day / 30}
local COOLDOWN, LIMITED, NUMBER, FULL, GUESSED = 1, 2, 3, 4, 5

local kind, at, cooldown, id = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[6]
local budget, force, verified, answer = ARGV[7] == '1', ARGV[8] == '1', ARGV[9] == '1', ARGV[10] == '1'

local now = at
if at <= 0 then
  local t = redis.call('TIME')
  now = at + t[1] * 1000 + math.floor(t[2] / 1000)
end

-- read returns what is in a text of so many words: numbers, if all of them can be
-- times and counts, and after them other words. What another program has written is
-- as good as nothing.
local function read(text, numbers, words)
  local found = {}
  for word in string.gmatch(text or '', '%S+') do
    local i, x = #found + 1, tonumber(word)
    if i <= numbers and not (x and math.abs(x) < 1e15) then return nil end
    found[i] = i <= numbers and x or word
  end
  return #found == numbers + words and found or nil
end

local function keep(key, ends, ...)
  if ends > now then
    redis.call('SET', key, table.concat({...}, ' '), 'PX', string.format('%.0f', math.ceil(ends - now)))
  else
    redis.call('DEL', key)
  end
end

-- Leaky counts: a level is the time when one will be empty.

local function full(l, n) return now + math.floor(n * l.one) end

local function level(l, v) return math.max(0, (math.min(v, full(l, l.holds)) - now) / l.one) end

local function add(l, v, n) return full(l, math.min(l.holds, math.max(0, level(l, v) + n))) end

local function wait_for(l, v, holds) return math.floor((level(l, v) + 1 - holds) * l.one) end

-- fit returns the level with one more, if there is room for it, and how many that are.
local function fit(l, v, holds)
  if wait_for(l, v, holds) > 0 then return v, 0 end
  return add(l, v, 1), 1
end

-- What is known.

local values = redis.call('MGET', unpack(KEYS))
local pool = (read(values[3], 1, 0) or {0})[1]

local p
do
  local v = read(values[1], 7, 3) or {0, 0, 0, 0, 0, 0, 0, '-', '-', '-'}
  p = {
    sent = v[1], before = v[2], row = v[3], charged = v[4], pooled = v[5],
    trusted = math.min(v[6], now + trust_lasts), guesses = v[7], to = v[8], number = v[9], last = v[10],
  }
  if now - p.sent >= POOL.one then p.charged, p.pooled = 0, 0 end
end

local credit = (read(values[2], 1, 0) or {0})[1]

local credit_before, pool_before = credit, pool

local number, phone_key, phone = ARGV[4], KEYS[4], values[4]
if number == '-' then
  number = (p.trusted > now and p.pooled == 0) and p.number or p.to
  phone_key = ARGV[5] .. number
  phone = redis.call('MGET', phone_key)[1]
end
local open, codes, entered_at = unpack(read(phone, 3, 0) or {0, 0, 0})

local limits = {}
for i = 5, #KEYS do
  local arg = 2 * i + 1
  local v = (read(values[i], 1, 0) or {0})[1]
  limits[#limits + 1] = {key = KEYS[i], holds = tonumber(ARGV[arg]), one = tonumber(ARGV[arg + 1]), v = v}
end

-- The rules.

local function codes_left() return wait_for(CODES, codes, CODES.holds) <= 0 end

local function trusts() return p.trusted > now and number == p.number and codes_left() end

local function share() return credit > 0 and POOL.holds or POOL.holds - kept end

local function number_holds(trusted) return trusted and NUMBERS.holds or NUMBERS.holds - of_trusted end

local by, limit, wait, trusted, count, most = 0, 0, 0, false, 0, 0

local function refuse(cause, ms, its_limit)
  if ms > wait then by, wait, limit = cause, ms, its_limit or 0 end
end

local function ask()
  trusted = trusts()
  if p.row > 0 and p.sent <= now then
    refuse(COOLDOWN, p.sent + cooldown * 2 ^ math.min(p.row - 1, max_doublings) - now)
  end
  for i, l in ipairs(limits) do refuse(LIMITED, wait_for(l, l.v, l.holds), i - 1) end
  if budget and number ~= '-' then refuse(NUMBER, wait_for(NUMBERS, open, number_holds(trusted))) end
  if budget and not trusted then
    count, most = level(POOL, pool), share()
    refuse(FULL, math.min(pool_wait, wait_for(POOL, pool, most)))
  end
end

local function add_to_limits(n)
  for _, l in ipairs(limits) do keep(l.key, add(l, l.v, n), add(l, l.v, n)) end
end

local function charge(is_trusted)
  local n = 0
  if number ~= '-' then open, n = fit(NUMBERS, open, number_holds(is_trusted)) end
  p.charged = p.charged + n
  if is_trusted then return end
  pool, n = fit(POOL, pool, share())
  p.pooled, credit = p.pooled + n, credit - n
end

local function discharge(n)
  local charged, pooled = math.min(n, p.charged), math.min(n, p.pooled)
  open, p.charged = add(NUMBERS, open, -charged), p.charged - charged
  pool, p.pooled, credit = add(POOL, pool, -pooled), p.pooled - pooled, credit + pooled
end

local function vouch()
  if number ~= '-' and not codes_left() then return false end
  p.trusted, p.number = now + trust_lasts, number
  return true
end

local changed = true -- what is kept; refusals leave it as it was
local happens = {}

happens['0'] = function() -- Ask
  ask()
  if p.row == 0 then by = 0 end
  changed = false
end

happens['1'] = function() -- Send
  if p.last == id then return end -- This was counted before.
  ask()
  if by ~= 0 and not force then
    changed = false
    return
  end
  p.before, p.sent, p.row, p.last = p.sent, now, p.row + 1, id
  add_to_limits(1)
  if budget then
    if number ~= p.to then p.to, p.charged, p.pooled = number, 0, 0 end
    charge(trusted)
  end
end

happens['2'] = function() -- Undo
  if p.last ~= id then return end -- It was not counted, or it was taken back before.
  add_to_limits(-1)
  discharge(1)
  p.last = '-'
  if p.row > 0 then p.row, p.sent = p.row - 1, p.before end
end

happens['3'] = function() -- Told
  if number == '-' then return end
  if p.to ~= number then
    local last = answer and p.pooled > 0 and 1 or 0
    p.to, p.charged, p.pooled = number, 0, last
    if last > 0 then open, p.charged = fit(NUMBERS, open, number_holds(false)) end
  end
  if verified and vouch() then
    if p.pooled > 0 then discharge(p.row) end
  elseif p.number ~= number and p.trusted > now then
    p.trusted = 0
    if answer and budget and p.pooled == 0 then charge(false) end
  end
end

happens['4'] = function() -- Code
  if number ~= p.to and p.to ~= '-' then p.charged, p.pooled = 0, 0 end
  if vouch() then
    if p.pooled > 0 then pool = add(POOL, pool, -entered) end
    discharge(p.row)
    if now - entered_at >= day then
      entered_at = now
      credit = credit + 1
    end
    codes = add(CODES, codes, 1)
  end
  p.to = number
  p.row, p.charged, p.pooled, p.guesses = 0, 0, 0, 0
end

happens['5'] = function() -- Guess
  refuse(GUESSED, wait_for(GUESSES, p.guesses, GUESSES.holds))
  if by == 0 then p.guesses = add(GUESSES, p.guesses, 1) else changed = false end
end

happens['6'] = function() p.guesses = add(GUESSES, p.guesses, -1) end -- Clear

happens[kind]()
if changed then
  local ends = math.max(p.trusted, p.guesses, p.row > 0 and p.sent + trust_lasts or 0)
  keep(KEYS[1], ends, p.sent, p.before, p.row, p.charged, p.pooled, p.trusted, p.guesses, p.to, p.number, p.last)
  if number ~= '-' then
    keep(phone_key, math.max(open, codes, entered_at > 0 and entered_at + day or 0), open, codes, entered_at)
  end
  if credit ~= credit_before then keep(KEYS[2], now + trust_lasts, credit) end
  if pool ~= pool_before then keep(KEYS[3], pool, pool) end
end
return table.concat({by, limit, wait, trusted and 1 or 0, count, most}, ' ')
