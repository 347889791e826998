-- For wrk: the body in $BODY, to whichever path it was called with.  The twelve
-- digits of zero in it are another number in each request, from $FIRST on.
-- "close" in $CONNECTION asks for a new connection each time.

wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"

if os.getenv("CONNECTION") == "close" then
    wrk.headers["Connection"] = "close"
end

local number = tonumber(os.getenv("FIRST"))
local head, tail

function init()
    head, tail = wrk.format():match("^(.*)000000000000(.*)$")
end

function request()
    number = number + 1
    return head .. string.format("%d", number) .. tail
end

function done(summary, latency)
    print(string.format("percentiles %d %d", latency:percentile(50),
                        latency:percentile(99)))
end
