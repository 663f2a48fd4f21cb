-- A session has its picture. ARGV[3..8] say which; [9..11], where they are, how it may come back:
-- the secret's hash, the sealed grant, the grace in ms.
local r = said(3)
if not go_on(r) and ARGV[9] then
  redis.call('HSET', P .. 's:' .. r.id, 'k', ARGV[9], 'g', ARGV[10], 'gr', ARGV[11])
end
return 1
