-- SPDX-License-Identifier: Apache-2.0
-- Prints as many free ports of 127.0.0.1 as asked for. All are held until all are known, so they differ.
local socket = require "socket"
local held, ports = {}, {}
for i = 1, tonumber(arg[1]) do
  held[i] = assert(socket.bind("127.0.0.1", 0))
  local _, port = held[i]:getsockname()
  ports[i] = port
end
print(table.concat(ports, " "))
