-- Posts the lines of a file, each once: wrk ... -s posts.lua http://host:port -- FILE
-- Who calls this compares the number of requests with the number of lines afterwards.
local lines
local over = false

function init(args)
  lines = io.lines(args[1])
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local body = not over and lines()
  if not body then
    over = true
    return wrk.format("GET", "/health")
  end
  return wrk.format("POST", "/runs", nil, body)
end
