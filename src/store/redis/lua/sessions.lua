-- Sessions in the order of their ids. ARGV[4] is the one before or nothing, [5] how many are looked
-- at, [6..] the sets in all of which those are that are asked for. The answer is where it goes on,
-- or nothing, and five values a session.
sweep()
local set, size
for at = 6, #ARGV do
  local key = P .. ARGV[at]
  local members = redis.call('ZCARD', key)
  if not size or members < size then
    set, size = key, members
  end
end
local from = '-'
if ARGV[4] ~= '' then
  from = '(' .. ARGV[4]
end
local ids = redis.call('ZRANGEBYLEX', set, from, '+', 'LIMIT', 0, ARGV[5])
local answer = { '' }
if #ids == tonumber(ARGV[5]) then
  answer[1] = ids[#ids]
end
for _, id in ipairs(ids) do
  local r = load(id)
  if r then
    local n = #answer
    answer[n + 1], answer[n + 2], answer[n + 3] = r.e, tostring(r.leg), r.st
    answer[n + 4], answer[n + 5] = r.gw, r.p
  end
end
return answer
