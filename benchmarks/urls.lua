-- Asks the paths of a file in turn, over and over: wrk ... -s urls.lua http://host:port -- FILE
local requests = {}
local turn = 0

function init(args)
  for path in io.lines(args[1]) do
    requests[#requests + 1] = wrk.format("GET", path)
  end
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end
