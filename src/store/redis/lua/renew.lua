-- Sessions of a gateway go on: six arguments each. The answer is those that may not, with words, and
-- those that do not know their permissions, with these.
sweep()
local answer = {}
for at = 3, #ARGV, 6 do
  local r = said(at)
  local words, permit = go_on(r)
  if words and words ~= '' then
    answer[#answer + 1] = { r.id, r.leg, 'end', words }
  elseif permit then
    answer[#answer + 1] = { r.id, r.leg, 'permit', permit }
  end
end
return answer
