-- Sessions of a gateway go on: six arguments each. The answer is those that may not, with words, and
-- those that do not know their permissions, with these.
local all, answer = {}, {}
for at = 4, #ARGV, 6 do
  all[#all + 1] = said(at)
end
beat()
sweep()
for _, r in ipairs(all) do
  local words, permit = go_on(r)
  if words and words ~= '' then
    answer[#answer + 1] = { r.id, r.leg, 'end', words }
  elseif permit then
    answer[#answer + 1] = { r.id, r.leg, 'permit', permit }
  end
end
return answer
