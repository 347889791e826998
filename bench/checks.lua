-- The checks of the module, as a careful user would write them for
-- access_by_lua_block, with the packages of Debian: lua-cjson and lua-luaossl.
--
-- What cjson can't tell stays unchecked: duplicate members, invalid UTF-8,
-- control characters in strings.

local cjson = require "cjson.safe"
local digest = require "openssl.digest"

local events = require "events"

local concat, find, match = table.concat, string.find, string.match
local byte, format, gsub = string.byte, string.format, string.gsub
local lower, sub = string.lower, string.sub
local floor = math.floor
local var, req, exit = ngx.var, ngx.req, ngx.exit

local hex = {}

for i = 0, 255 do
    hex[string.char(i)] = format("%02x", i)
end

local days = { 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }

local max_body_size = 16 * 1024
local max_id = 2^53 - 1

cjson.decode_invalid_numbers(false)
cjson.decode_max_depth(32)


local function sha256(text)
    return digest.new("sha256"):final(text)
end


local tokens = { [sha256("My_Sup3r_T0k3n")] = true }


local function is_id(id)
    return type(id) == "number" and id >= 1 and id <= max_id
           and floor(id) == id
end


local function is_time(time)
    if type(time) ~= "string" then
        return false
    end

    local year, month, day, hour, minute, second, rest =
        match(time, "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)(.*)$")

    if not year then
        return false
    end

    local fraction = match(rest, "^%.(%d+)")

    if fraction then
        if #fraction > 9 then
            return false
        end

        rest = sub(rest, #fraction + 2)
    end

    if rest ~= "Z" and rest ~= "+00:00" then
        return false
    end

    year, month, day = tonumber(year), tonumber(month), tonumber(day)

    if month < 1 or month > 12 or day < 1 or day > days[month] then
        return false
    end

    if month == 2 and day == 29
       and (year % 4 ~= 0 or (year % 100 == 0 and year % 400 ~= 0))
    then
        return false
    end

    return tonumber(hour) < 24 and tonumber(minute) < 60
           and tonumber(second) < 60
end


local function netstring(value)
    return #value .. ":" .. value .. ","
end


local function refuse(status, reason)
    ngx.log(ngx.WARN, "webhook rejected: ", reason)
    return exit(status)
end


return function()
    if req.get_method() ~= "POST" then
        return refuse(405, "method")
    end

    local media, parameters = match(var.content_type or "",
                                    "^%s*([^;%s]+)%s*(.*)$")

    if not media or lower(media) ~= "application/json" then
        return refuse(415, "content type")
    end

    if parameters ~= "" then
        local charset = match(lower(parameters), 'charset="?([^";%s]+)')

        if charset and charset ~= "utf-8" then
            return refuse(415, "content type")
        end
    end

    if var.http_content_encoding and var.http_content_encoding ~= "identity" then
        return refuse(415, "content encoding")
    end

    if (tonumber(var.content_length) or 0) > max_body_size then
        return refuse(413, "content length")
    end

    req.read_body()

    local body = req.get_body_data()

    if not body then
        return refuse(400, "empty body, or one in a file")
    end

    if #body > max_body_size then
        return refuse(413, "body too large")
    end

    local event = cjson.decode(body)

    if type(event) ~= "table" or byte(body, find(body, "[^ \t\r\n]")) ~= 123 then
        return refuse(400, "malformed JSON")
    end

    if type(event.token) ~= "string" or not tokens[sha256(event.token)] then
        return refuse(403, "token")
    end

    local name = event.event_name
    local payload = event.payload

    if not is_id(event.subscription_id) or not is_id(event.company_id)
       or not is_time(event.occurred_at) or type(payload) ~= "table"
       or type(name) ~= "string" or #name > 64
    then
        return refuse(400, "envelope")
    end

    local entity, action = match(name, "^([a-z0-9_]+)%.([a-z0-9_]+)$")

    if not entity then
        return refuse(400, "envelope")
    end

    local id, more

    if events[name] == "budget" then
        id = payload.id
        more = payload

        if type(payload.type) ~= "string"
           or not find(payload.type, "^[A-Za-z0-9_]+$") or #payload.type > 64
           or type(payload.threshold) ~= "number"
        then
            return refuse(400, "payload")
        end

    else
        id = type(payload[entity]) == "table" and payload[entity].id
    end

    if not is_id(id) then
        return refuse(400, "payload")
    end

    local company = format("%.0f", event.company_id)
    local subscription = format("%.0f", event.subscription_id)

    id = format("%.0f", id)

    local key = concat({
        netstring(company), netstring(subscription), netstring(name),
        netstring(id), netstring(event.occurred_at),
        more and netstring(more.type) or "",
        more and netstring(cjson.encode(more.threshold)) or ""
    })

    local set_header = req.set_header

    set_header("X-Clockodo-Event", name)
    set_header("X-Clockodo-Entity", entity)
    set_header("X-Clockodo-Action", action)
    set_header("X-Clockodo-Entity-Id", id)
    set_header("X-Clockodo-Subscription-Id", subscription)
    set_header("X-Clockodo-Company-Id", company)
    set_header("X-Clockodo-Occurred-At", event.occurred_at)
    set_header("X-Clockodo-Idempotency-Key", (gsub(sha256(key), ".", hex)))
end
