-- What a session's viewer may do from now on. ARGV[4] is its id, [5] how often that was changed with
-- this change, [6] what it may do, [7] the message.
local r = load(ARGV[4])
if not r then
  return 'gone'
end
if tonumber(ARGV[5]) ~= math.max(r.pr, decode(r).permit.revision) + 1 then
  return 'outdated'
end
redis.call('HSET', P .. 's:' .. r.id, 'p', ARGV[6], 'pr', ARGV[5])
tell(ARGV[7])
return 'done'
