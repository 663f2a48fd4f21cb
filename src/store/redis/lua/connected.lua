-- A session has its picture. ARGV[4..9] say which; [10..12], where they are, how it may come back:
-- the secret's hash, the sealed grant, the grace in ms.
local r = said(4)
if not go_on(r) and ARGV[10] then
  redis.call('HSET', P .. 's:' .. r.id, 'k', ARGV[10], 'g', ARGV[11], 'gr', ARGV[12])
end
return 1
