-- Ends sessions. ARGV[4] says of what: session, legs, console or label, [5] and [6] which, [7] the
-- words, [8] the message. The answer is how many there were.
local kind, which, limit, words, message = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local ids, meant = {}, function() return true end
if kind == 'session' then
  ids = { which }
  redis.call('SET', P .. 'x:' .. which, words, 'PX', TOKEN_LIFE)
elseif kind == 'legs' then
  ids = { which }
  meant = function(r) return r.leg < tonumber(limit) end
elseif kind == 'console' then
  ids = redis.call('ZRANGE', P .. 'k:' .. which, 0, -1)
  redis.call('SET', P .. 'rc:' .. which, words, 'PX', TOKEN_LIFE)
else
  ids = redis.call('ZRANGE', P .. 'l:' .. which, 0, -1)
  local by, key = instant(limit), P .. 'rl:' .. which
  meant = function(r) return instant(decode(r).minted_at) <= by end
  local before = tonumber(redis.call('HGET', key, 'by') or 0)
  redis.call('HSET', key, 'by', string.format('%.0f', math.max(by, before)), 'w', words)
  redis.call('PEXPIRE', key, TOKEN_LIFE)
end
local count = 0
for _, id in ipairs(ids) do
  local r = load(id)
  if r and meant(r) then
    close(r, words)
    count = count + 1
  end
end
tell(message)
return count
