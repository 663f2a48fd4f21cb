-- A leg is over. ARGV[4..9] say which, [10] how: unserved, lost or over; or undone, which is unserved
-- if nobody has made use of its admission.
local r, leaving = said(4), ARGV[10]
local was = load(r.id)
if leaving == 'undone' then
  if was and (was.k or was.st ~= 'connecting') then
    return 0
  end
  leaving = 'unserved'
end
if not was then
  -- The store had given it up, or its admission was not answered.
  if redis.call('EXISTS', P .. 'x:' .. r.id) == 0 then
    if leaving == 'unserved' and r.leg == 1 then
      redis.call('SREM', P .. 'u:' .. decode(r).console, r.id)
    end
    redis.call('SET', P .. 'x:' .. r.id, '', 'PX', UNDER_WAY)
  end
  return 0
end
if was.leg ~= r.leg then
  return 0
end
if leaving ~= 'over' and was.k then
  change(was, r)
  set_lost(r, NOW + was.gr, '1')
  return 1
end
if leaving == 'unserved' then
  redis.call('SREM', P .. 'u:' .. decode(was).console, r.id)
end
close(was, '')
return 1
