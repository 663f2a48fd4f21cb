-- One session: ARGV[3].
local r = load(ARGV[3])
if not r then
  return {}
end
return { r.e, tostring(r.leg), r.st, r.gw, r.p }
