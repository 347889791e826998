
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * nlohmann's reader calls back for each thing that it has read.  It takes a
 * byte order mark for nothing and a NUL for the end, and leaves members, depth
 * and U+0000 to the one that it calls.
 */


#include "fuzz.h"
#include "strict.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>


namespace {

using json = nlohmann::json;


struct reader : json::json_sax_t {
    size_t                              too_large = 0;
    std::vector<std::set<std::string>>  open;

    bool key(std::string &name) override
    {
        return text(name) && open.back().insert(name).second;
    }

    bool string(std::string &value) override
    {
        return value_here() && text(value);
    }

    bool start_object(std::size_t) override
    {
        open.emplace_back();
        return open.size() <= STRICT_DEPTH;
    }

    bool start_array(std::size_t) override
    {
        return value_here() && start_object(0);
    }

    bool end_object() override
    {
        open.pop_back();
        return true;
    }

    bool end_array() override
    {
        return end_object();
    }

    bool null() override { return value_here(); }
    bool boolean(bool) override { return value_here(); }
    bool number_integer(json::number_integer_t) override
    {
        return value_here();
    }
    bool number_unsigned(json::number_unsigned_t) override
    {
        return value_here();
    }
    bool number_float(json::number_float_t, const std::string &) override
    {
        return value_here();
    }
    bool binary(json::binary_t &) override { return false; }

    bool parse_error(std::size_t position, const std::string &,
                     const json::exception &e) override
    {
        /* 406: a number that is no finite double */

        if (e.id == 406) {
            too_large = position;
        }

        return false;
    }

    /* not at the top */

    bool value_here()
    {
        return !open.empty();
    }

    bool text(const std::string &s)
    {
        return s.find('\0') == std::string::npos;
    }
};

}


int
strict_nlohmann(const char *text, size_t len)
{
    std::string  copy(text, len);

    if (copy.find('\0') != std::string::npos
        || copy.compare(0, 3, "\xef\xbb\xbf") == 0)
    {
        return 0;
    }

    for ( ;; ) {
        reader  r;

        if (json::sax_parse(copy, &r)) {
            return 1;
        }

        if (r.too_large == 0) {
            return 0;
        }

        strict_cut_number(&copy[0], r.too_large);
    }
}
