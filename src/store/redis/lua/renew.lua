-- Sessions of a gateway go on: six arguments each. The answer is those that may not, with words.
sweep()
local answer = {}
for at = 3, #ARGV, 6 do
  local r = said(at)
  local words = go_on(r)
  if words and words ~= '' then
    answer[#answer + 1] = { r.id, r.leg, words }
  end
end
return answer
