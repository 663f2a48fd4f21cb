-- Lets a session in. ARGV[4..9] say which, [10] how often its token may be used, [11] the quotas,
-- [12] what those are told who have to go, [13] for how many ms its token can still be used.
sweep()
local r = said(4)
local d, uses, quotas, words = decode(r), tonumber(ARGV[10]), cjson.decode(ARGV[11]), ARGV[12]

-- The same call once more, whose answer was lost.
if redis.call('EXISTS', P .. 's:' .. r.id) == 1 then
  return { 'in' }
end
if revoked(d) then
  return { 'revoked' }
end
if redis.call('SCARD', P .. 'u:' .. d.console) >= uses then
  return { 'used' }
end

local out = {}
if d.sharing == 'take_over' then
  out = beside(d)
else
  local other = in_the_way(d)
  if other then
    return { 'in_use', decode(other).started }
  end
end

-- Whether there are as many as there may be once those that go are gone.
local function full(key, most, goes)
  local freed = 0
  for _, other in ipairs(out) do
    if goes(decode(other)) then
      freed = freed + 1
    end
  end
  return redis.call('ZCARD', key) - freed >= most
end

local function anybody()
  return true
end
local function same_client(other)
  return other.client == d.client
end
if quotas.in_all >= 0 and full(P .. 'ids', quotas.in_all, anybody) then
  return { 'quota', 'in all' }
end
if quotas.per_client >= 0 and full(P .. 'c:' .. d.client, quotas.per_client, same_client) then
  return { 'quota', 'from one address' }
end
for _, quota in ipairs(quotas.per_label) do
  local key, most = quota[1], quota[2]
  local value = d.labels[key]
  local function same_label(other)
    return other.labels[key] == value
  end
  if value and full(P .. 'l:' .. key .. '=' .. value, most, same_label) then
    return { 'quota', 'for one ' .. key }
  end
end

local answer = { 'in' }
for _, other in ipairs(out) do
  close(other, words)
  tell('{"end":{"whom":{"session":"' .. other.id .. '"},"sentence":' .. words .. '}}')
  answer[#answer + 1] = other.id
end
take_in(r, math.min(tonumber(ARGV[13]) + SLACK, TOKEN_LIFE))
return answer
