-- What wrk sends, for every server of bench/compare: uniformly random keys out of KEYS.
-- Use: wrk ... -s requests.lua URL -- KIND KEYS DEPTH SEED
-- KIND names a row of `makers`; with DEPTH > 1 each write to the socket holds that many requests.
-- Ends with one line `RESULT {json}` of wrk's own figures, latencies in microseconds.

local keys, depth, maker
local batches = {}
local noise = ""

local function key(number) return string.format("users/%08d/profile", number) end

-- 100 bytes of JSON, as kvs-load writes them in size but with other contents every time.
local function value(number)
  local head = string.format('{"id":%d,"data":"', number)
  local from = math.random(#noise - 100)
  return head .. noise:sub(from, from + 97 - #head) .. '"}'
end

local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
local function letter(index) return alphabet:sub(index + 1, index + 1) end

local function base64(text)
  local out = {}
  for i = 1, #text, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a * 65536 + (b or 0) * 256 + (c or 0)
    out[#out + 1] = letter(math.floor(bits / 262144)) .. letter(math.floor(bits / 4096) % 64)
      .. (b and letter(math.floor(bits / 64) % 64) or "=") .. (c and letter(bits % 64) or "=")
  end
  return table.concat(out)
end

local json = { ["Content-Type"] = "application/json" }
local makers = {
  kvs_get = function(n) return wrk.format("GET", "/kv/" .. key(n)) end,
  kvs_put = function(n) return wrk.format("PUT", "/kv/" .. key(n), json, value(n)) end,
  kvs_list = function() return wrk.format("GET", "/kv/tree/") end,
  kvs_list_flat = function() return wrk.format("GET", "/kv/tree/child-042/?limit=100") end,
  kvs_get_tree = function(n)
    local below = math.floor(keys / 100)  -- as NodeTree of bench/goals fills it
    local path = string.format("/kv/tree/child-%03d/%06d/leaf", math.floor(n / below), n % below)
    return wrk.format("GET", path)
  end,
  kvs_list_below = function() return wrk.format("GET", "/kv/tree/?recursive=true&limit=100") end,
  etcd_get = function(n)
    return wrk.format("POST", "/v3/kv/range", json, '{"key":"' .. base64(key(n)) .. '"}')
  end,
  etcd_put = function(n)
    local body = '{"key":"' .. base64(key(n)) .. '","value":"' .. base64(value(n)) .. '"}'
    return wrk.format("POST", "/v3/kv/put", json, body)
  end,
  webdis_get = function(n)
    return wrk.format("GET", "/GET/" .. key(n):gsub("/", "%%2F") .. ".txt")
  end,
  webdis_put = function(n)
    return wrk.format("PUT", "/SET/" .. key(n):gsub("/", "%%2F"), json, value(n))
  end,
}

local function make_batch()
  local parts = {}
  for i = 1, depth do parts[i] = maker(math.random(0, keys - 1)) end
  return table.concat(parts)
end

function init(args)
  maker = assert(makers[args[1]], "unknown kind of request")
  keys, depth = tonumber(args[2]), tonumber(args[3])
  math.randomseed(tonumber(args[4]))
  local parts = {}
  for i = 1, 8192 do parts[i] = string.format("%08x", math.random(0, 2147483647)) end
  noise = table.concat(parts)
  -- Batches are made before the clock starts: the client must not be what is measured.
  if depth > 1 then
    for i = 1, math.max(1, math.floor(keys / depth)) do batches[i] = make_batch() end
  end
  io.write(string.format("PREPARED %.3f\n", os.clock()))  -- CPU seconds that are not load
end

function request()
  if depth > 1 then return batches[math.random(#batches)] end
  return maker(math.random(0, keys - 1))
end

function done(summary, latency, requests)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,"max_us":%d,'
      .. '"connect_errors":%d,"read_errors":%d,"write_errors":%d,"bad_status":%d,"timeouts":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(99),
    latency.max, e.connect, e.read, e.write, e.status, e.timeout))
end
