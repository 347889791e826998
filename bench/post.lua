-- For wrk: the body in $BODY, to whichever path it was called with; "close" in
-- $CONNECTION asks for a new connection each time.

wrk.method = "POST"
wrk.body = os.getenv("BODY")
wrk.headers["Content-Type"] = "application/json"

if os.getenv("CONNECTION") == "close" then
    wrk.headers["Connection"] = "close"
end
