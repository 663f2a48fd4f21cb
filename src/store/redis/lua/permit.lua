-- What a session's viewer may do from now on. ARGV[3] is its id, [4] how often that was changed with
-- this change, [5] what it may do, [6] the message.
local r = load(ARGV[3])
if not r then
  return 'gone'
end
if tonumber(ARGV[4]) ~= math.max(r.pr, decode(r).permit.revision) + 1 then
  return 'outdated'
end
redis.call('HSET', P .. 's:' .. r.id, 'p', ARGV[5], 'pr', ARGV[4])
tell(ARGV[6])
return 'done'
