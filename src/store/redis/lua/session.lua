-- One session: ARGV[4].
local r = load(ARGV[4])
if not r then
  return {}
end
return { r.e, tostring(r.leg), r.st, r.gw, r.p }
