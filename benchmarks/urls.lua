-- Asks the lines of a file in turn, over and over: wrk ... -s urls.lua http://host:port -- FILE
-- A line is a path, or a path, a tab, and an ETag to send as If-None-Match.
local requests = {}
local turn = 0

function init(args)
  for line in io.lines(args[1]) do
    local path, tag = line:match("^([^\t]+)\t(.+)$")
    if tag then
      requests[#requests + 1] = wrk.format("GET", path, { ["If-None-Match"] = tag })
    else
      requests[#requests + 1] = wrk.format("GET", line)
    end
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
