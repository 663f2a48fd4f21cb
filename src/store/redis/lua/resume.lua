-- A session continues on a new leg. ARGV[4] is its id, [5] the secret's hash, [6] the next one's,
-- [7] the gateway, [8] what time it is there.
local id, secret, following, gateway, now = ARGV[4], ARGV[5], ARGV[6], ARGV[7], ARGV[8]
local r = load(id)
if not r or not r.k or (r.k ~= secret and r.kp ~= secret) then
  return { 'gone' }
end
local d = decode(r)
if instant(now) >= instant(d.ends_by) then
  return { 'over', d.ends_by }
end
local other = in_the_way(d)
if other then
  return { 'in_use', decode(other).started }
end
local key = P .. 's:' .. id
if r.k == secret then
  redis.call('HSET', key, 'kp', secret)
end
local leg = string.format('%.0f', r.leg + 1)
redis.call('HSET', key, 'k', following, 'leg', leg, 'st', 'connecting', 'gw', gateway)
redis.call('HDEL', key, 'left')
redis.call('DEL', P .. 'v:' .. id)
set_due(r, NOW + LEASE)
tell('{"end":{"whom":{"legs":{"session":"' .. id .. '","below":' .. leg .. '}},"sentence":' .. RESUMED_ELSEWHERE .. '}}')
return { 'in', r.e, leg, 'connecting', gateway, r.p, redis.call('HGET', key, 'g') }
