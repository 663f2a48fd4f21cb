-- What every script starts with. ARGV[1] is the prefix of all keys, ARGV[2] the lease in ms,
-- ARGV[3] the gateway that asks.
--
-- s:ID     a session: e its entry, leg, st its state, c its client, gw the gateway that resumed it,
--          k its secret's hash, kp the one before, g the sealed grant, gr the grace in ms,
--          p its permissions once they were changed, pr how often they were,
--          left = 1 once its gateway said that it is lost, due when the lease or the grace is over
-- ids, c:CLIENT, m:MACHINE, k:CONSOLE, l:KEY=VALUE     the sessions there, sorted by their ids
-- due      the sessions by when they are due
-- u:CONSOLE                    the sessions that its token opened
-- rc:CONSOLE, rl:KEY=VALUE     revoked: the words, and of labels up to when (by)
-- x:ID     a session that is over: the words that ended it, or nothing when it went by itself
-- v:ID     a session of which all were told that its gateway is lost
-- beat     at, when a gateway last renewed; patient, until when nobody is taken for lost
local P, LEASE, ASKING = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local time = redis.call('TIME')
local NOW = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

-- Clocks may differ by that much.
local SLACK = 3600000
-- No token waits longer to be used.
local TOKEN_LIFE = 86400000 + SLACK
-- Longer than a word of a gateway is under way.
local UNDER_WAY = 600000
-- How many that are due one call sees to. Each is seen to anyway before it counts.
local SWEEP = 256

local RESUMED_ELSEWHERE = '{"reason":"resumed_elsewhere"}'
local TAKEN_OVER = '{"reason":"taken_over"}'

-- A time of the form 2026-11-21T08:30:00Z as a number in the same order.
local function instant(text)
  return tonumber((string.gsub(text, '%D', '')))
end

-- A key lives for at least that long from now.
local function outlive(key, ms)
  ms = math.ceil(ms)
  if redis.call('PTTL', key) < ms then
    redis.call('PEXPIRE', key, ms)
  end
end

local function decode(r)
  r.d = r.d or cjson.decode(r.e)
  return r.d
end

local function machine(d)
  return P .. 'm:' .. redis.sha1hex(d.machine)
end

-- The sorted sets that a session is in.
local function indexes(d)
  local keys = { P .. 'ids', P .. 'c:' .. d.client, machine(d), P .. 'k:' .. d.console }
  for key, value in pairs(d.labels) do
    keys[#keys + 1] = P .. 'l:' .. key .. '=' .. value
  end
  return keys
end

local function seat(r, ms)
  for _, key in ipairs(indexes(decode(r))) do
    redis.call('ZADD', key, 0, r.id)
    outlive(key, ms)
  end
end

local function unseat(r)
  for _, key in ipairs(indexes(decode(r))) do
    redis.call('ZREM', key, r.id)
  end
end

-- When a session is to be looked at again.
local function set_due(r, due)
  r.due = due
  redis.call('HSET', P .. 's:' .. r.id, 'due', string.format('%.0f', due))
  redis.call('ZADD', P .. 'due', due, r.id)
  outlive(P .. 'due', due - NOW + SLACK)
end

local function set_lost(r, until_when, left)
  r.st, r.left = 'lost', left
  redis.call('HSET', P .. 's:' .. r.id, 'st', 'lost', 'left', left)
  set_due(r, until_when)
  outlive(P .. 's:' .. r.id, until_when - NOW + SLACK)
  seat(r, until_when - NOW + SLACK)
end

local function forget(r)
  redis.call('DEL', P .. 's:' .. r.id)
  redis.call('ZREM', P .. 'due', r.id)
  unseat(r)
end

local function tell(message)
  redis.call('PUBLISH', P .. 'messages', message)
end

-- When a gateway was last heard, and until when nobody is taken for lost.
local heard
local function last_heard()
  heard = heard or redis.call('HMGET', P .. 'beat', 'at', 'patient')
  return tonumber(heard[1] or NOW), tonumber(heard[2] or 0)
end

-- Whether no gateway could speak just now, or not long ago. Then it was Redis that was away, or all
-- of them, and each has a lease to speak again.
local function nobody_was_heard()
  local at, patient = last_heard()
  return NOW - at > LEASE / 2 or NOW < patient
end

-- A gateway is heard.
local function beat()
  local at, patient = last_heard()
  if NOW - at > LEASE / 2 then
    patient = NOW + LEASE
  end
  heard = { NOW, patient }
  local key = P .. 'beat'
  redis.call('HSET', key, 'at', string.format('%.0f', NOW), 'patient', string.format('%.0f', patient))
  redis.call('PEXPIRE', key, TOKEN_LIFE)
end

-- The sessions that this call speaks for.
local spoken_for = {}

-- Nobody has spoken for a session that had its picture. Its gateway cannot say that it has ended, so
-- this is said here, once, since it is one script that finds it.
local function vanished(r)
  if r.st == 'live' and not spoken_for[r.id] then
    redis.call('SET', P .. 'v:' .. r.id, '', 'PX', math.ceil(math.max(r.gr, UNDER_WAY)))
    local by = cjson.encode(ASKING)
    tell('{"event":{"ended":{"session":' .. r.e .. ',"reason":"gateway_lost","found_by":' .. by .. '}}}')
  end
end

-- Its gateway was only cut off.
local function reappeared(r)
  if redis.call('DEL', P .. 'v:' .. r.id) == 1 then
    tell('{"event":{"resumed":' .. r.e .. '}}')
  end
end

-- A session as it is now: one whose lease is over is lost, one whose grace is over is gone.
local function load(id)
  local f = redis.call('HMGET', P .. 's:' .. id, 'e', 'leg', 'st', 'c', 'gw', 'k', 'kp', 'gr', 'left', 'due', 'p', 'pr')
  if not f[1] then
    return nil
  end
  local r = {
    id = id, e = f[1], leg = tonumber(f[2]), st = f[3], c = f[4], gw = f[5] or '',
    k = f[6], kp = f[7], gr = tonumber(f[8] or 0), left = f[9], due = tonumber(f[10]),
    p = f[11] or '', pr = tonumber(f[12] or 0),
  }
  if r.due > NOW or (r.st ~= 'lost' and nobody_was_heard()) then
    return r
  end
  vanished(r)
  if r.st ~= 'lost' and r.k and r.due + r.gr > NOW then
    set_lost(r, r.due + r.gr, '0')
    return r
  end
  forget(r)
  return nil
end

local function sweep()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', P .. 'due', '-inf', NOW, 'LIMIT', 0, SWEEP)) do
    if not load(id) then
      redis.call('ZREM', P .. 'due', id)
      redis.call('ZREM', P .. 'ids', id)
    end
  end
end

-- What was said when the token that opens a session was revoked.
local function revoked(d)
  local words = redis.call('GET', P .. 'rc:' .. d.console)
  if words then
    return words
  end
  for key, value in pairs(d.labels) do
    local label = redis.call('HMGET', P .. 'rl:' .. key .. '=' .. value, 'by', 'w')
    if label[1] and instant(d.minted_at) <= tonumber(label[1]) then
      return label[2]
    end
  end
  return nil
end

-- The others at a session's machine. Those that are lost are in nobody's way.
local function beside(d)
  local others, key = {}, machine(d)
  for _, id in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if id ~= d.id then
      local r = load(id)
      if not r then
        redis.call('ZREM', key, id)
      elseif r.st ~= 'lost' then
        others[#others + 1] = r
      end
    end
  end
  return others
end

-- Somebody beside whom a session cannot be.
local function in_the_way(d)
  for _, other in ipairs(beside(d)) do
    if d.sharing ~= 'shared' or decode(other).sharing ~= 'shared' then
      return other
    end
  end
  return nil
end

-- A session is over; no words when it went by itself.
local function close(r, words)
  local ms = UNDER_WAY
  if words ~= '' then
    ms = math.max(ms, redis.call('PTTL', P .. 's:' .. r.id))
  end
  forget(r)
  redis.call('SET', P .. 'x:' .. r.id, words, 'PX', ms)
end

-- What a gateway says of a session: its id, leg, state, client, time to live in ms, and entry.
local function said(at)
  spoken_for[ARGV[at]] = true
  return {
    id = ARGV[at], leg = tonumber(ARGV[at + 1]), st = ARGV[at + 2], c = ARGV[at + 3],
    ms = tonumber(ARGV[at + 4]), e = ARGV[at + 5],
  }
end

local function write(r)
  redis.call('HSET', P .. 's:' .. r.id, 'e', r.e, 'leg', r.leg, 'st', r.st, 'c', r.c)
  redis.call('HDEL', P .. 's:' .. r.id, 'gw', 'left')
end

-- Its token is known as used for so long.
local function take_in(r, token_life)
  local used = P .. 'u:' .. decode(r).console
  redis.call('SADD', used, r.id)
  outlive(used, token_life)
  write(r)
  outlive(P .. 's:' .. r.id, r.ms)
  set_due(r, NOW + LEASE)
  seat(r, r.ms)
end

-- What a leg says replaces what was known of it.
local function change(was, is)
  if was.c ~= is.c then
    unseat(was)
    seat(is, redis.call('PTTL', P .. 's:' .. is.id))
  end
  write(is)
end

-- A leg says how it is, and goes on unless there are words against it. The second answer is its
-- permissions, if they were changed and it does not know.
local function go_on(r)
  local words = redis.call('GET', P .. 'x:' .. r.id)
  if words then
    return words
  end
  local was = load(r.id)
  if not was then
    words = revoked(decode(r))
    if not words and in_the_way(decode(r)) then
      words = TAKEN_OVER
    end
    if not words then
      take_in(r, TOKEN_LIFE)
      reappeared(r)
    end
    return words
  end
  if was.leg > r.leg then
    return RESUMED_ELSEWHERE
  end
  if was.st == 'lost' then
    if was.left == '1' then
      return ''
    end
    -- It was not: its gateway could not say so.
    if in_the_way(decode(was)) then
      close(was, TAKEN_OVER)
      return TAKEN_OVER
    end
    reappeared(r)
  end
  change(was, r)
  set_due(r, NOW + LEASE)
  outlive(P .. 's:' .. r.id, 2 * LEASE)
  if was.pr > 0 and was.pr > decode(r).permit.revision then
    return nil, was.p
  end
  return nil
end
